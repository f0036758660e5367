//! Kafka as a folder of jars, fetched once through Maven, without its web server.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::skip::is_installed;

const KAFKA: &str = "4.3.1";

/// Artifacts, and what of theirs is left out. `kafka-tools` brings the storage formatter and, unless
/// told otherwise, Kafka Connect. Without a binding for slf4j a broker logs nothing at all.
const POM: &str = r#"<project><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
<packaging>pom</packaging><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
 <version>KAFKA</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
 <version>KAFKA</version><exclusions>
 <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-runtime</artifactId></exclusion>
 <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-json</artifactId></exclusion>
 </exclusions></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
 <version>2.25.4</version></dependency>
</dependencies></project>"#;

const LOGGING: &str = "status=error\n\
    appender.c.type=Console\nappender.c.name=c\nappender.c.layout.type=PatternLayout\n\
    appender.c.layout.pattern=%d{ISO8601} %p %c{1} %m%n\n\
    rootLogger.level=warn\nrootLogger.appenderRef.c.ref=c\n";

/// Where what outlives a test is kept.
pub fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("kafka")
}

/// The folder of jars, with the logging configuration beside them; the reason where there is none.
pub fn folder() -> Result<PathBuf, String> {
    for program in ["java", "mvn", "flock", "setpriv", "timeout"] {
        if !is_installed(program) {
            return Err(format!("a real Kafka needs {program}"));
        }
    }
    let cache = cache();
    std::fs::create_dir_all(&cache).map_err(|error| error.to_string())?;
    let jars = cache.join(format!("jars-{KAFKA}"));
    // Several test processes may start at once; one of them fetches.
    let lock = File::create(cache.join("jars.lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if !jars.is_dir() {
        fetch(&cache, &jars)?;
    }
    Ok(jars)
}

fn fetch(cache: &Path, jars: &Path) -> Result<(), String> {
    let work = tempfile::tempdir_in(cache).map_err(|error| error.to_string())?;
    let pom = POM.replace("KAFKA", KAFKA);
    std::fs::write(work.path().join("pom.xml"), pom).map_err(|error| error.to_string())?;
    let fetched = work.path().join("jars");
    let output = Command::new("mvn")
        .args(["-q", "-B", "dependency:copy-dependencies"])
        .arg(format!("-DoutputDirectory={}", fetched.display()))
        .current_dir(work.path())
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("Maven did not start: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout);
        let first = said.lines().find(|line| line.contains("ERROR")).unwrap_or("it said nothing");
        return Err(format!("Maven could not fetch Kafka {KAFKA}: {first}"));
    }
    std::fs::write(fetched.join("log4j2.properties"), LOGGING)
        .and_then(|()| std::fs::rename(&fetched, jars))
        .map_err(|error| error.to_string())
}
