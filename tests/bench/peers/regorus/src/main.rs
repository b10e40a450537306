//! regorus as `./dev bench peers` asks it, in process.
//!
//!   regorus_peer world FOLDER SECONDS QUERY   one line of JSON, as tests/bench/peers/dpl/peer.cc says
//!
//! "decide" and "bytes" run on its virtual machine, or where that cannot take the policy (65,535 instructions) on its tree
//! walker, as "interpreter" does; data is given once.

use std::fs;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, PolicyLengthConfig, Rc, Value};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn cpu() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

/// Repeats a pass for `seconds`, a quarter of it first to warm up; CPU nanoseconds of a decision.
fn passes(seconds: f64, decisions: usize, mut pass: impl FnMut()) -> Vec<u64> {
    let mut repeat = |seconds: f64| {
        let end = Instant::now() + Duration::from_secs_f64(seconds);
        let mut ns = Vec::new();
        loop {
            let start = cpu();
            pass();
            ns.push(((cpu() - start) * 1e9 / decisions as f64) as u64);
            if Instant::now() >= end {
                return ns;
            }
        }
    };
    repeat(seconds / 4.0);
    repeat(seconds)
}

/// The result is `true`, or an object whose `allow` is.
fn permits(value: &Value) -> bool {
    match value {
        Value::Bool(b) => *b,
        Value::Object(_) => value["allow"] == Value::Bool(true),
        _ => false,
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() != 5 || arguments[1] != "world" {
        eprintln!("usage: regorus_peer world FOLDER SECONDS QUERY");
        std::process::exit(2);
    }
    let (folder, seconds, query) = (&arguments[2], arguments[3].parse::<f64>().expect("seconds"), arguments[4].as_str());
    let read = |name: &str| fs::read_to_string(format!("{folder}/{name}")).expect(name);

    let start = cpu();
    let data = Value::from_json_str(&read("data.json")).expect("data.json");
    let mut engine = Engine::new();
    let lengths = PolicyLengthConfig::default();
    let large = NonZeroUsize::new(64 << 20).expect("not zero");
    engine.set_policy_length_config(PolicyLengthConfig { max_file_bytes: large, max_lines: large, ..lengths });
    engine.add_policy("policy.rego".to_string(), read("policy.rego")).expect("policy.rego");
    engine.add_data(data.clone()).expect("data.json");
    let entry: Rc<str> = query.into();
    let compiled = engine.compile_with_entrypoint(&entry).expect("a policy");
    let mut vm = match Compiler::compile_from_policy(&compiled, &[query]) {
        Ok(program) => {
            let mut vm = RegoVM::new();
            vm.load_program(program);
            vm.set_data(data).expect("data");
            Some(vm)
        }
        Err(error) => {
            eprintln!("regorus_peer: on the interpreter: {error}");
            None
        }
    };
    let load_ms = (cpu() - start) * 1e3;

    let text = read("rego.jsonl");
    let bodies: Vec<&str> = text.lines().collect();
    let inputs: Vec<Value> = bodies.iter().map(|b| Value::from_json_str(b).expect("an input")).collect();
    let mut decide = |input: &Value| match &mut vm {
        Some(vm) => {
            vm.set_input(input.clone());
            vm.execute().ok()
        }
        None => compiled.eval_with_input(input.clone()).ok(),
    };
    let decisions: String = inputs.iter().map(|i| if decide(i).is_some_and(|v| permits(&v)) { '1' } else { '0' }).collect();
    let walked: String = inputs
        .iter()
        .map(|i| if compiled.eval_with_input(i.clone()).is_ok_and(|v| permits(&v)) { '1' } else { '0' })
        .collect();
    assert_eq!(decisions, walked, "the virtual machine and the interpreter of regorus disagree");

    let decide_ns = passes(seconds / 3.0, inputs.len(), || {
        for input in &inputs {
            black_box(decide(input));
        }
    });
    let bytes_ns = passes(seconds / 3.0, inputs.len(), || {
        for body in &bodies {
            let input = Value::from_json_str(body).expect("an input");
            black_box(decide(&input).map(|v| v.to_json_str()));
        }
    });
    let interpreter_ns = passes(seconds / 3.0, inputs.len(), || {
        for input in &inputs {
            let _ = black_box(compiled.eval_with_input(input.clone()));
        }
    });
    println!(
        "{}",
        serde_json::json!({"decisions": decisions, "load_ms": load_ms,
                           "ns": {"decide": decide_ns, "bytes": bytes_ns, "interpreter": interpreter_ns}})
    );
}
