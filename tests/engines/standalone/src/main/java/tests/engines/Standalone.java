package tests.engines;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.cibseven.bpm.engine.ProcessEngine;
import org.cibseven.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.cibseven.bpm.engine.impl.cfg.StandaloneProcessEngineConfiguration;
import org.cibseven.bpm.model.bpmn.Bpmn;

/** One engine; each line of standard input is a step, answered with one line: `done`, or what was asked for. */
public class Standalone {
  public static void main(String[] arguments) throws Exception {
    ProcessEngineConfigurationImpl configuration = new StandaloneProcessEngineConfiguration();
    configuration.setJdbcDriver("org.postgresql.Driver");
    configuration.setJdbcUrl(arguments[0]);
    configuration.setJdbcUsername(System.getenv("DATABASE_USER"));
    configuration.setJdbcPassword(System.getenv("DATABASE_PASSWORD"));
    configuration.setDatabaseSchemaUpdate("true");
    configuration.setJobExecutorActivate(false);
    ProcessEngine engine = configuration.buildProcessEngine();
    engine.getRepositoryService().createDeployment().addModelInstance("order.bpmn",
        Bpmn.createExecutableProcess("order").camundaHistoryTimeToLive(5).startEvent().userTask().endEvent().done()).deploy();
    System.out.println("done");
    BufferedReader steps = new BufferedReader(new InputStreamReader(System.in));
    for (String step = steps.readLine(); step != null; step = steps.readLine()) {
      System.out.println(take(engine, configuration, step));
    }
    engine.close();
  }

  private static String take(ProcessEngine engine, ProcessEngineConfigurationImpl configuration, String step) {
    String[] words = step.split(" ", 2);
    switch (words[0]) {
      case "start":
        for (int time = 0; time < Integer.parseInt(words[1]); time++) {
          engine.getRuntimeService().startProcessInstanceByKey("order");
        }
        return "done";
      case "flush":
        configuration.getDbMetricsReporter().reportNow();
        return "done";
      case "license":
        engine.getManagementService().setLicenseKey(words[1]);
        return "done";
      case "sum":
        return String.valueOf(engine.getManagementService().createMetricsQuery().name(words[1]).sum());
      case "data":
        return String.valueOf(engine.getManagementService().getTelemetryData()).replace("\n", " ");
      default:
        throw new IllegalArgumentException(step);
    }
  }
}
