package tests.engines;

import java.util.Collections;

import org.@@product@@.bpm.engine.ManagementService;
import org.@@product@@.bpm.engine.ProcessEngine;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Steps of a test that the engine offers in Java only. Open to whoever reaches the port, which is on loopback. */
@RestController
@RequestMapping("/test")
public class EngineResource {

  private final ProcessEngine engine;

  public EngineResource(ProcessEngine engine) {
    this.engine = engine;
  }

  @PostMapping("/flush")
  public void flush() {
    engine.getManagementService().reportDbMetricsNow();
  }

  @PostMapping("/purge")
  public void purge() {
    engine.getManagementService().deleteMetrics(null);
  }

  @PostMapping("/decision")
  public void decision() {
    engine.getDecisionService().evaluateDecisionTableByKey("discount", Collections.singletonMap("amount", 100));
  }

  @PostMapping("/license")
  public void setLicense(@RequestBody String text) throws ReflectiveOperationException {
    ManagementService.class.getMethod("setLicenseKey", String.class).invoke(engine.getManagementService(), text);
  }

  @DeleteMapping("/license")
  public void deleteLicense() throws ReflectiveOperationException {
    ManagementService.class.getMethod("deleteLicenseKey").invoke(engine.getManagementService());
  }
}
