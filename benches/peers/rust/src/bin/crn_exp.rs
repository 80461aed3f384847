//! What CRN and a control variate buy: compare cooldown 60 s vs 30 s. crn_exp N REPS SEED FIXED
use w1::*;
fn var(v: &[f64]) -> f64 {
    let m = v.iter().sum::<f64>() / v.len() as f64;
    v.iter().map(|x| (x - m).powi(2)).sum::<f64>() / (v.len() - 1) as f64
}
fn mean(v: &[f64]) -> f64 {
    v.iter().sum::<f64>() / v.len() as f64
}
// min_lazy with one shared stream and a cooldown parameter
fn lazy(a: &Args, rep: u64, cool: f64) -> (f64, f64) {
    let mut s = Smp::new(a, rep);
    let mut d = DepA { cool_s: cool, ..DepA::default() };
    let mut tot = Totals::default();
    let mut sw = s.sojourn(false);
    let mut q: Vec<(f64, bool, Req)> = vec![];
    let mut t = 0.0;
    loop {
        t = s.next_arrival(t);
        let mut todo: Vec<(f64, Req)> = vec![];
        loop {
            if let Some((now, r)) = todo.pop() {
                if r.k == 3 || d.cooling(now) {
                    let l = s.lat_b();
                    tot.done(r.start, now + l, r.cost(PRICE_B), true);
                    continue;
                }
                while sw <= now {
                    d.burst = !d.burst;
                    sw += s.sojourn(d.burst)
                }
                if s.is_429(d.burst) {
                    q.push((now + 0.1, true, r))
                } else {
                    let l = s.lat_a();
                    tot.done(r.start, now + l, r.cost(PRICE_A), false)
                }
                continue;
            }
            let Some(i) = (0..q.len()).min_by(|&i, &j| q[i].0.total_cmp(&q[j].0)) else { break };
            if q[i].0 > t {
                break;
            }
            let (now, fail, mut r) = q.swap_remove(i);
            if fail {
                d.failed(now);
                r.k += 1;
                if r.k < 3 {
                    let b = s.backoff(r.k - 1);
                    q.push((now + b, false, r));
                    continue;
                }
            }
            todo.push((now, r));
        }
        if t >= T {
            break;
        }
        let r = s.req(t);
        let now = t;
        if d.cooling(now) {
            let l = s.lat_b();
            tot.done(r.start, now + l, r.cost(PRICE_B), true);
            continue;
        }
        while sw <= now {
            d.burst = !d.burst;
            sw += s.sojourn(d.burst)
        }
        if s.is_429(d.burst) {
            q.push((now + 0.1, true, r))
        } else {
            let l = s.lat_a();
            tot.done(r.start, now + l, r.cost(PRICE_A), false)
        }
    }
    (tot.bill, tot.b_calls as f64 / tot.requests as f64)
}
fn main() {
    let a = args();
    let tb = Tables::default();
    let r = a.reps;
    let run = |rep: u64, c: f64| {
        let (t, _, w) = run_crn_cool(&a, rep, &tb, Nhpp::new(a.n), c);
        (t.bill, t.b_calls as f64 / t.requests as f64, w)
    };
    let x60: Vec<_> = (0..r).map(|i| run(i, 60.0)).collect();
    let x30: Vec<_> = (0..r).map(|i| run(i, 30.0)).collect();
    let y30: Vec<_> = (0..r).map(|i| run(i + r, 30.0)).collect();
    let z60: Vec<_> = (0..r).map(|i| lazy(&a, i, 60.0)).collect();
    let z30: Vec<_> = (0..r).map(|i| lazy(&a, i, 30.0)).collect();
    for (nm, g) in [("bill", 0usize), ("fallback_share", 1)] {
        let f = |v: (f64, f64, f64)| if g == 0 { v.0 } else { v.1 };
        let f2 = |v: (f64, f64)| if g == 0 { v.0 } else { v.1 };
        let ind: Vec<f64> = (0..r as usize).map(|i| f(x60[i]) - f(y30[i])).collect();
        let crn: Vec<f64> = (0..r as usize).map(|i| f(x60[i]) - f(x30[i])).collect();
        let same: Vec<f64> = (0..r as usize).map(|i| f2(z60[i]) - f2(z30[i])).collect();
        println!(
            "{nm}: diff 60-30: mean crn {:.5} same-seed {:.5} indep {:.5}; sd indep {:.5} same-seed-one-stream {:.5} per-request-CRN {:.5}; variance ratio indep/same {:.2} indep/CRN {:.1}",
            mean(&crn),
            mean(&same),
            mean(&ind),
            var(&ind).sqrt(),
            var(&same).sqrt(),
            var(&crn).sqrt(),
            var(&ind) / var(&same),
            var(&ind) / var(&crn)
        );
        // control variate: rate-weighted burst share (known mean 900/(22500) asymptotically; here estimated)
        let v: Vec<f64> = x60.iter().map(|&x| f(x)).collect();
        let w: Vec<f64> = x60.iter().map(|x| x.2).collect();
        let (mv, mw) = (mean(&v), mean(&w));
        let cov = v.iter().zip(&w).map(|(a, b)| (a - mv) * (b - mw)).sum::<f64>() / (r - 1) as f64;
        let rho2 = cov * cov / var(&v) / var(&w);
        println!(
            "{nm}: mean {:.5} sd {:.5}; R^2 with burst share {:.4} -> control-variate variance factor {:.1}",
            mv,
            var(&v).sqrt(),
            rho2,
            1.0 / (1.0 - rho2)
        );
    }
}
