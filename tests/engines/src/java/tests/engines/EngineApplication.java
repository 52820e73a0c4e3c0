package tests.engines;

import java.io.IOException;

import org.@@product@@.bpm.engine.rest.security.auth.ProcessEngineAuthenticationFilter;
import org.@@product@@.bpm.engine.rest.security.auth.impl.HttpBasicAuthenticationProvider;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;

/** A process engine with its REST API and webapps, for tests. */
@SpringBootApplication
public class EngineApplication {

  private static final String REPORTER = "org.@@product@@.bpm.engine.impl.telemetry.reporter.TelemetryReporter";

  public static void main(String[] arguments) {
    SpringApplication application = new SpringApplication(EngineApplication.class);
    application.addInitializers(context -> prepare(context.getEnvironment()));
    application.run(arguments);
  }

  /** Asks for HTTP Basic on the REST API, when told to. */
  @Bean
  @ConditionalOnProperty("engine.rest-authentication")
  public FilterRegistrationBean<ProcessEngineAuthenticationFilter> restAuthentication() {
    FilterRegistrationBean<ProcessEngineAuthenticationFilter> filter =
        new FilterRegistrationBean<>(new ProcessEngineAuthenticationFilter());
    filter.addInitParameter("authentication-provider", HttpBasicAuthenticationProvider.class.getName());
    filter.addUrlPatterns("/engine-rest/*");
    filter.setAsyncSupported(true);
    return filter;
  }

  private static void prepare(Environment environment) {
    if (environment.getProperty("engine.stop-with-input", Boolean.class, false)) {
      stopWithInput();
    }
    Long seconds = environment.getProperty("engine.first-report-seconds", Long.class);
    if (seconds != null) {
      setFirstReport(seconds);
    }
  }

  /** Ends this process when its standard input does, that is, when whoever started it is gone. */
  private static void stopWithInput() {
    Thread watch = new Thread(() -> {
      try {
        while (System.in.read() >= 0) {
          continue;
        }
      } catch (IOException gone) {
        // the same as its end
      }
      System.exit(0);
    }, "stop-with-input");
    watch.setDaemon(true);
    watch.start();
  }

  /** Engines 7.14 to 7.21 report first after minutes or hours; no property changes that, but two public fields do. */
  private static void setFirstReport(long seconds) {
    try {
      Class<?> reporter = Class.forName(REPORTER);
      reporter.getField("DEFAULT_INIT_REPORT_DELAY_SECONDS").setLong(null, seconds);
      reporter.getField("EXTENDED_INIT_REPORT_DELAY_SECONDS").setLong(null, seconds);
    } catch (ReflectiveOperationException absent) {
      throw new IllegalStateException("engine.first-report-seconds: this engine has no reporter of its own", absent);
    }
  }
}
