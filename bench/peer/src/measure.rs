//! What the phases of the work cost.

use cpu_time::ProcessTime;
use serde_json::{json, Map, Value};
use std::time::Instant;

/// Wall and processor time since the start of the program, and of each phase.
pub struct Measure {
    started: Instant,
    phases: Map<String, Value>,
}

impl Measure {
    pub fn start() -> Self {
        Measure { started: Instant::now(), phases: Map::new() }
    }

    /// Does `work` as a phase of its own.
    pub fn phase<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> T {
        let (wall, cpu) = (Instant::now(), ProcessTime::now());
        let done = work();
        let (wall, cpu) = (wall.elapsed(), cpu.elapsed());
        self.phases.insert(
            name.to_owned(),
            json!({ "wallMs": wall.as_secs_f64() * 1e3, "cpuMs": cpu.as_secs_f64() * 1e3 }),
        );
        done
    }

    /// The report: packets, wall and CPU in all, and nanoseconds of CPU per packet of each phase.
    pub fn report(self, packets: usize) -> Map<String, Value> {
        let per_packet: Map<String, Value> = self
            .phases
            .iter()
            .map(|(name, times)| {
                let cpu_ms = times["cpuMs"].as_f64().unwrap_or(0.0);
                (name.clone(), json!(cpu_ms * 1e6 / packets.max(1) as f64))
            })
            .collect();
        let mut report = Map::new();
        report.insert("packets".into(), json!(packets));
        report.insert("wallMs".into(), json!(self.started.elapsed().as_secs_f64() * 1e3));
        // Since the process began, so that what the system does to start it counts as it does for others.
        let cpu = ProcessTime::now().as_duration();
        report.insert("cpuMs".into(), json!(cpu.as_secs_f64() * 1e3));
        report.insert("peakMiB".into(), json!(peak_mib()));
        report.insert("phases".into(), Value::Object(self.phases));
        report.insert("cpuNsPerPacket".into(), Value::Object(per_packet));
        report
    }
}

/// Peak resident memory, where the system tells it as Linux does.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}
