//! Fast samplers + completion events. Fifth argument: `heap` (default) or `wheel`.
use std::time::Instant;
use w1::*;

fn main() {
    let a = args();
    let tb = Tables::default();
    let queue = std::env::args().nth(5).unwrap_or("heap".into());
    for rep in 0..a.reps {
        let t0 = Instant::now();
        let nh = Nhpp::new(a.n);
        let (t, d) = if queue == "wheel" {
            let (t, d, _) = run_wheel(&a, rep, &tb, nh);
            (t, d)
        } else {
            let (t, d, _) = run_full::<Quad>(&a, rep, &tb, nh);
            (t, d)
        };
        report(&format!("rust-full-{queue}"), &a, &t, &d, t0);
    }
}
