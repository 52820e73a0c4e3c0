package tests.engines;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;

import org.cibseven.bpm.engine.ProcessEngine;
import org.cibseven.bpm.engine.ProcessEngineConfiguration;
import org.cibseven.bpm.engine.impl.util.JsonUtil;

/**
 * A process engine without REST. The first three lines of its input are JDBC's URL, user and password; each line after
 * that is a command, which is answered by one line of JSON. It ends with its input.
 */
public class StandaloneEngine {

  public static void main(String[] arguments) throws IOException {
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    ProcessEngine engine = start(input.readLine(), input.readLine(), input.readLine());
    System.out.println("\"started\"");
    try {
      for (String line = input.readLine(); line != null; line = input.readLine()) {
        String[] words = line.split(" ", 2);
        System.out.println(answer(engine, words[0], words.length > 1 ? words[1] : ""));
      }
    } finally {
      engine.close();
    }
  }

  private static ProcessEngine start(String url, String user, String password) {
    ProcessEngine engine = ProcessEngineConfiguration.createStandaloneProcessEngineConfiguration()
        .setJdbcDriver("org.postgresql.Driver")
        .setJdbcUrl(url)
        .setJdbcUsername(user)
        .setJdbcPassword(password)
        .setDatabaseSchemaUpdate(ProcessEngineConfiguration.DB_SCHEMA_UPDATE_TRUE)
        .setJobExecutorActivate(false)
        .buildProcessEngine();
    engine.getRepositoryService().createDeployment().name("tests").enableDuplicateFiltering(true)
        .addClasspathResource("order.bpmn").addClasspathResource("discount.dmn").deploy();
    return engine;
  }

  private static String answer(ProcessEngine engine, String command, String argument) {
    switch (command) {
      case "start":
        engine.getRuntimeService().startProcessInstanceByKey("order");
        return "null";
      case "decide":
        engine.getDecisionService().evaluateDecisionTableByKey("discount", Map.<String, Object>of("amount", 100));
        return "null";
      case "license":
        engine.getManagementService().setLicenseKey(argument);
        return "null";
      case "flush":
        engine.getManagementService().reportDbMetricsNow();
        return "null";
      case "metric":
        return Long.toString(engine.getManagementService().createMetricsQuery().name(argument).sum());
      case "telemetry":
        return JsonUtil.asString(engine.getManagementService().getTelemetryData());
      default:
        throw new IllegalArgumentException(command);
    }
  }
}
