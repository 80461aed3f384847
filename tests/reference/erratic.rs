//! A gateway that does everything a gateway may do, by dice: attempts with all kinds of limits, sleeps, queues,
//! wake-ups, cancels, drains. Its state is shared between requests, so that any change of order shows.

use std::collections::VecDeque;

use billcast::gateway::{
    Attempt, AttemptRole, Event, Gateway, Limits, Notes, RequestView, Response, Source, Step, Turn,
};
use billcast::random::{Draws, Purpose};
use billcast::units::{CallId, DeploymentId, NameId, Outcome, Phase, SimDuration};

use crate::reference::world::{Knobs, TICK, ticks};

/// See the module.
pub struct Erratic {
    knobs: Knobs,
    in_flight: Vec<u32>,
    parked: VecDeque<CallId>,
    decisions: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Doing {
    #[default]
    Nothing,
    Calling(DeploymentId),
    Sleeping,
    Parked,
}

/// State of one request.
#[derive(Debug, Default)]
pub struct Call {
    doing: Doing,
    attempts: u32,
    turns: u32,
    gone: bool,
}

impl Erratic {
    /// A gateway with nothing in flight.
    pub fn new(knobs: Knobs) -> Self {
        let in_flight = vec![0; knobs.deployments as usize];
        Self { knobs, in_flight, parked: VecDeque::new(), decisions: 0 }
    }

    /// The least busy deployment, shifted by dice.
    fn pick(&self, draws: &mut impl Draws, nth: u32) -> DeploymentId {
        let shift = draws.below(Purpose::Pick, nth, self.knobs.deployments) as usize;
        let candidates = (0..self.in_flight.len()).map(|i| (i + shift) % self.in_flight.len());
        DeploymentId::from_index(candidates.min_by_key(|i| self.in_flight[*i]).expect("a deployment"))
    }

    fn decide<D: Draws, N: Notes>(&mut self, turn: &mut Turn<'_, D, N>, call: &mut Call) -> Step {
        self.decisions += 1;
        call.turns += 1;
        let nth = call.turns;
        let decisions = self.decisions;
        turn.notes.decided(turn.now, turn.call, || format!("decision {decisions}"));
        let busy: u32 = self.in_flight.iter().sum();
        match turn.draws.below(Purpose::Kind, 20 + nth, 8) {
            _ if call.attempts >= 4 || nth > 12 => self.respond(turn, call, 500),
            0 => self.sleep(turn, call, nth),
            1 | 2 if busy >= self.knobs.parallel => {
                call.doing = Doing::Parked;
                self.parked.push_back(turn.call);
                Step::Park
            }
            _ => self.attempt(turn, call, nth),
        }
    }

    fn sleep<D: Draws, N: Notes>(&mut self, turn: &mut Turn<'_, D, N>, call: &mut Call, nth: u32) -> Step {
        call.doing = Doing::Sleeping;
        Step::Sleep(ticks(turn.draws, 40 + nth, 10))
    }

    fn attempt<D: Draws, N: Notes>(&mut self, turn: &mut Turn<'_, D, N>, call: &mut Call, nth: u32) -> Step {
        let deployment = self.pick(turn.draws, nth);
        self.in_flight[deployment.index()] += 1;
        call.doing = Doing::Calling(deployment);
        let mut limit = |which: u32, longest: u32| match turn.draws.below(Purpose::Kind, 100 * which + nth, 3) {
            0 => SimDuration(TICK) + ticks(turn.draws, 1_000 * which + nth, longest),
            _ => SimDuration::FOREVER,
        };
        let (headers, first_token, content, idle) = (limit(1, 12), limit(2, 20), limit(5, 15), limit(3, 10));
        // Without it a request could hang forever; some may.
        let total = limit(4, 40).min(if nth == 1 { SimDuration::FOREVER } else { SimDuration(60 * TICK) });
        let limits = Limits { headers, first_token, content, idle, total };
        let role = if call.attempts == 0 { AttemptRole::First } else { AttemptRole::Retry };
        call.attempts += 1;
        Step::Attempt(Attempt { deployment, name: NameId(0), limits, max_tokens: None, role })
    }

    fn respond<D: Draws, N: Notes>(&mut self, turn: &mut Turn<'_, D, N>, call: &mut Call, http_status: u16) -> Step {
        let served_by = match call.doing {
            Doing::Calling(deployment) => Some(deployment),
            _ => None,
        };
        call.doing = Doing::Nothing;
        self.wake_next(turn);
        let source = if call.gone { Source::ClientLeft } else { Source::Upstream };
        Step::Respond(Response::new(http_status, http_status == 200, served_by, source))
    }

    fn wake_next<D: Draws, N: Notes>(&mut self, turn: &mut Turn<'_, D, N>) {
        turn.woken.extend(self.parked.pop_front());
    }

    fn client_left<D: Draws, N: Notes>(&mut self, turn: &mut Turn<'_, D, N>, call: &mut Call) -> Step {
        assert!(!call.gone, "a client leaves once");
        call.gone = true;
        let choice = turn.draws.below(Purpose::Kind, 90, 3);
        match call.doing {
            Doing::Calling(_) if choice == 0 => Step::CancelAttempt,
            // Answering while the attempt is in flight lets the engine close it.
            Doing::Calling(deployment) if choice == 1 => {
                self.in_flight[deployment.index()] -= 1;
                self.respond(turn, call, 499)
            }
            Doing::Parked if choice < 2 => {
                self.parked.retain(|id| *id != turn.call);
                self.respond(turn, call, 499)
            }
            Doing::Sleeping if choice < 2 => self.respond(turn, call, 499),
            _ => Step::CarryOn,
        }
    }
}

impl Gateway for Erratic {
    type Call = Call;
    type Held = ();

    fn admit<D: Draws, N: Notes>(&mut self, mut turn: Turn<'_, D, N>, _: &RequestView, call: &mut Call) -> Step {
        *call = Call::default();
        self.decide(&mut turn, call)
    }

    fn resume<D: Draws, N: Notes>(
        &mut self,
        mut turn: Turn<'_, D, N>,
        _: &RequestView,
        call: &mut Call,
        event: Event<'_>,
    ) -> Step {
        match event {
            Event::Woke => {
                assert!(matches!(call.doing, Doing::Sleeping | Doing::Parked), "woken while {:?}", call.doing);
                self.decide(&mut turn, call)
            }
            Event::ClientLeft(_) => self.client_left(&mut turn, call),
            Event::Ended(ended) => {
                let Doing::Calling(deployment) = call.doing else { panic!("an end while {:?}", call.doing) };
                self.in_flight[deployment.index()] -= 1;
                if ended.outcome == Outcome::Status(429) {
                    turn.notes.cooldown(turn.now, deployment, turn.now + SimDuration(TICK));
                }
                match ended.outcome {
                    Outcome::Ok => self.respond(&mut turn, call, 200),
                    Outcome::Cancelled => self.respond(&mut turn, call, 499),
                    _ if ended.phase == Phase::AfterContent => self.respond(&mut turn, call, 502),
                    _ => {
                        self.wake_next(&mut turn);
                        self.decide(&mut turn, call)
                    }
                }
            }
        }
    }
}
