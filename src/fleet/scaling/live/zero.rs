//! What takes a live fleet to zero: its alarm, the topic, and the listeners there.

use fleet_scaling::config::ScaleToZeroSpec;
use fleet_scaling::unknown::{Direction, Part};
use fleet_templates::QUEUE_DEPTH;

use super::super::LeftOut;
use super::super::listener::Listener;
use super::Reader;
use super::alarms::Why;

impl Reader<'_> {
    /// The rule of the fleet's queue-empty alarm, called `name`.
    pub(super) fn scale_to_zero(&mut self, name: &str) -> Option<ScaleToZeroSpec> {
        let Some(alarm) = self.facts.alarms.get(name) else {
            let missing = format!("the alarm `{name}` does not exist, so nothing takes the fleet to zero");
            self.leave_out(LeftOut::broken(format!("scale to zero: {missing}")));
            return None;
        };
        let understood = self.alarm_spec(alarm).and_then(|spec| {
            if alarm.actions.is_empty() {
                return Err(Why::broken("has no action, so nothing takes the fleet to zero"));
            }
            if let Listener::Absent(why) = &self.facts.zero_listener {
                return Err(Why::broken(format!("notifies in vain: {why}")));
            }
            if !spec.metric.is(&QUEUE_DEPTH.into()) || spec.period_seconds.to_bits() != 60_f64.to_bits() {
                return Err(Why::not_modelled(
                    Part::OtherMetric,
                    "is not on minutes of QueueDepth, which is not modelled",
                ));
            }
            Ok(spec)
        });
        match understood {
            Ok(spec) => {
                self.alarm_names.push(name.to_owned());
                self.assumptions.push(
                    "the scale-to-zero function has no safe options: it acts on ALARM whatever the workers do"
                        .to_owned(),
                );
                if let Listener::Unknown(why) = &self.facts.zero_listener {
                    self.assumptions
                        .push(format!("the scale-to-zero function listens to its topic ({why})"));
                }
                Some(ScaleToZeroSpec {
                    missing_data: spec.missing_data,
                    ..ScaleToZeroSpec::unguarded(spec.evaluation_periods)
                })
            }
            // Whatever of the alarm it is, the function acts after the policies and not among them.
            Err(why) => {
                let subject = format!("scale to zero: the alarm `{name}`");
                self.leave_out(why.of(Part::ScaleToZero).about(&subject, Direction::In));
                None
            }
        }
    }
}
