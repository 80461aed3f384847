//! nexosim 1.0, best case: one model, every step a self-scheduled event (no port traffic), one worker thread.
use nexosim::Message;
use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::{EventSinkReader, EventSource, Output, SinkState, event_slot};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use w1::*;

#[derive(Clone, Copy, Serialize, Deserialize, Message, Debug)]
pub struct Call {
    start: f64,
    tin: f32,
    tout: f32,
    k: u32,
}
impl Call {
    fn req(&self) -> Req {
        Req { start: self.start, tin: self.tin, tout: self.tout, k: self.k }
    }
}
fn secs(t: MonotonicTime) -> f64 {
    t.as_secs() as f64 + t.subsec_nanos() as f64 * 1e-9
}
fn dur(s: f64) -> Duration {
    Duration::from_nanos((s * 1e9) as u64 + 1)
}

#[derive(Default)]
struct St {
    a: DepA,
    tot: Totals,
    s: Option<Smp>,
}
#[derive(Serialize, Deserialize)]
pub struct Gateway {
    pub out: Output<Res>,
    #[serde(skip)]
    st: Box<St>,
}
#[derive(Clone)]
pub struct Res(DepA, Totals);
#[Model]
impl Gateway {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>) {
        let d = self.st.s.as_mut().unwrap().sojourn(false);
        cx.schedule_event(dur(d), schedulable!(Self::switch), ()).unwrap();
        self.plan(cx)
    }
    fn plan(&mut self, cx: &Context<Self>) {
        let now = secs(cx.time());
        let t = self.st.s.as_mut().unwrap().next_arrival(now);
        if t < T {
            cx.schedule_event(dur(t - now), schedulable!(Self::arrive), ()).unwrap()
        }
    }
    #[nexosim(schedulable)]
    fn switch(&mut self, _: (), cx: &Context<Self>) {
        self.st.a.burst = !self.st.a.burst;
        let d = self.st.s.as_mut().unwrap().sojourn(self.st.a.burst);
        if secs(cx.time()) < T + 3600.0 {
            cx.schedule_event(dur(d), schedulable!(Self::switch), ()).unwrap()
        }
    }
    #[nexosim(schedulable)]
    fn arrive(&mut self, _: (), cx: &Context<Self>) {
        let r = self.st.s.as_mut().unwrap().req(secs(cx.time()));
        self.retry(Call { start: r.start, tin: r.tin, tout: r.tout, k: 0 }, cx);
        self.plan(cx)
    }
    #[nexosim(schedulable)]
    fn retry(&mut self, c: Call, cx: &Context<Self>) {
        let st = &mut *self.st;
        let s = st.s.as_mut().unwrap();
        if c.k == 3 || st.a.cooling(secs(cx.time())) {
            return cx.schedule_event(dur(s.lat_b()), schedulable!(Self::done_b), c).unwrap();
        }
        st.a.calls += 1;
        if s.is_429(st.a.burst) {
            cx.schedule_event(dur(0.1), schedulable!(Self::fail), c).unwrap()
        } else {
            cx.schedule_event(dur(s.lat_a()), schedulable!(Self::done_a), c).unwrap()
        }
    }
    #[nexosim(schedulable)]
    fn fail(&mut self, mut c: Call, cx: &Context<Self>) {
        self.st.a.failed(secs(cx.time()));
        c.k += 1;
        if c.k == 3 {
            return self.retry(c, cx);
        }
        let d = self.st.s.as_mut().unwrap().backoff(c.k - 1);
        cx.schedule_event(dur(d), schedulable!(Self::retry), c).unwrap()
    }
    #[nexosim(schedulable)]
    fn done_a(&mut self, c: Call, cx: &Context<Self>) {
        self.st.tot.done(c.start, secs(cx.time()), c.req().cost(PRICE_A), false)
    }
    #[nexosim(schedulable)]
    fn done_b(&mut self, c: Call, cx: &Context<Self>) {
        self.st.tot.done(c.start, secs(cx.time()), c.req().cost(PRICE_B), true)
    }
    pub async fn finish(&mut self, _: ()) {
        self.out.send(Res(self.st.a.clone(), self.st.tot.clone())).await
    }
}

fn main() {
    let a = args();
    for rep in 0..a.reps {
        let t0 = Instant::now();
        let mut gw =
            Gateway { out: Output::default(), st: Box::new(St { s: Some(Smp::new(&a, rep)), ..St::default() }) };
        let mg = Mailbox::new();
        let (sink, mut slot) = event_slot(SinkState::Enabled);
        gw.out.connect_sink(sink);
        let mut bench = SimInit::with_num_threads(1);
        let fin = EventSource::new().connect(Gateway::finish, &mg).register(&mut bench);
        let mut sim = bench.add_model(gw, mg, "gw").init(MonotonicTime::EPOCH).unwrap();
        sim.step_until(Duration::from_secs(T as u64 + 3600)).unwrap();
        sim.process_event(&fin, ()).unwrap();
        let Res(d, tot) = slot.try_read().unwrap();
        report("nexosim-single", &a, &tot, &d, t0);
    }
}
