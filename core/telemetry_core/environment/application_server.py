"""The data point `application-server`: vendor and version of what the engine runs in."""

from telemetry_core.environment.points import HOST, REST, Point, attribute

POINT = Point(
    name="application-server",
    category="meta",
    type="object",
    sources=(REST, HOST),
    example='{"vendor":"Apache Tomcat","version":"Apache Tomcat/10.1.46"}',
    why="Which application servers must be supported.",
    find=attribute(
        "application_server", "application-server", "the engine is embedded without a web application, or none was used"
    ),
)
