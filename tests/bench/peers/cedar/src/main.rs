//! Cedar as `./dev bench peers` asks it, natively.
//!
//!   cedar_peer world FOLDER SECONDS   in process; one line of JSON, as tests/bench/peers/dpl/peer.cc says
//!   cedar_peer serve FOLDER PORT      over HTTP: POST a request as in cedar.jsonl, on one thread
//!
//! Policies and entities are parsed once, requests are made without a schema (which would only add work), and the
//! allocator is mimalloc: the quickest way to use the crate that we know.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fs;
use std::hint::black_box;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, Request,
};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
}

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    principal: Named<'a>,
    #[serde(borrow)]
    action: Named<'a>,
    #[serde(borrow)]
    resource: Named<'a>,
    context: serde_json::Value,
}

struct World {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    kinds: HashMap<String, EntityTypeName>,
    /// What an answer says of a policy, already in JSON.
    said: HashMap<PolicyId, String>,
}

impl World {
    fn load(folder: &str) -> World {
        let read = |name: &str| fs::read_to_string(format!("{folder}/{name}")).expect(name);
        let policies = PolicySet::from_str(&read("policy.cedar")).expect("policy.cedar");
        let entities = Entities::from_json_str(&read("entities.json"), None).expect("entities.json");
        let mut kinds = HashMap::new();
        let names = entities.iter().map(|e| e.uid().type_name().to_string());
        for name in names.chain(["Action".to_string()]) {
            kinds.entry(name.clone()).or_insert_with(|| EntityTypeName::from_str(&name).expect("a type"));
        }
        let said = policies
            .policies()
            .map(|p| {
                let value = serde_json::json!({"policy": p.annotation("id"), "because": p.annotation("because")});
                (p.id().clone(), value.to_string())
            })
            .collect();
        World { authorizer: Authorizer::new(), policies, entities, kinds, said }
    }

    fn uid(&self, named: &Named) -> Option<EntityUid> {
        let kind = self.kinds.get(named.kind.as_ref())?;
        Some(EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(named.id.as_ref())))
    }

    fn request(&self, body: &[u8]) -> Option<Request> {
        let asked: Asked = serde_json::from_slice(body).ok()?;
        let context = match &asked.context {
            serde_json::Value::Object(members) if members.is_empty() => Context::empty(),
            _ => Context::from_json_value(asked.context, None).ok()?,
        };
        Request::new(self.uid(&asked.principal)?, self.uid(&asked.action)?, self.uid(&asked.resource)?, context, None).ok()
    }

    fn allows(&self, request: &Request) -> bool {
        self.authorizer.is_authorized(request, &self.policies, &self.entities).decision() == Decision::Allow
    }

    fn answer(&self, body: &[u8]) -> Option<String> {
        let response = self.authorizer.is_authorized(&self.request(body)?, &self.policies, &self.entities);
        let mut out = String::with_capacity(256);
        out.push_str(if response.decision() == Decision::Allow { "{\"decision\":true,\"by\":[" } else { "{\"decision\":false,\"by\":[" });
        for (i, id) in response.diagnostics().reason().enumerate() {
            if i > 0 {
                out.push(',');
            }
            out.push_str(&self.said[id]);
        }
        out.push_str("]}");
        Some(out)
    }
}

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

fn measure(folder: &str, seconds: f64) {
    let start = cpu();
    let world = World::load(folder);
    let load_ms = (cpu() - start) * 1e3;
    let text = fs::read_to_string(format!("{folder}/cedar.jsonl")).expect("cedar.jsonl");
    let bodies: Vec<&[u8]> = text.lines().map(str::as_bytes).collect();
    let requests: Vec<Request> = bodies.iter().map(|b| world.request(b).expect("a request")).collect();
    let decisions: String = requests.iter().map(|r| if world.allows(r) { '1' } else { '0' }).collect();
    let decide = passes(seconds / 2.0, requests.len(), || {
        for request in &requests {
            black_box(world.allows(request));
        }
    });
    let bytes = passes(seconds / 2.0, requests.len(), || {
        for body in &bodies {
            black_box(world.answer(body));
        }
    });
    println!("{}", serde_json::json!({"decisions": decisions, "load_ms": load_ms, "ns": {"decide": decide, "bytes": bytes}}));
}

async fn reply(world: Arc<World>, request: hyper::Request<Incoming>) -> Result<hyper::Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|b| b.to_bytes()).unwrap_or_default();
    let (status, text) = match world.answer(&body) {
        Some(text) => (200, text),
        None => (400, "{\"error\":\"not a request\"}".to_string()),
    };
    let response = hyper::Response::builder().status(status).header("content-type", "application/json");
    Ok(response.body(Full::new(Bytes::from(text))).expect("a response"))
}

async fn serve(folder: &str, port: u16) {
    let world = Arc::new(World::load(folder));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let world = world.clone();
        tokio::task::spawn(async move {
            let service = service_fn(move |request| reply(world.clone(), request));
            let http = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .pipeline_flush(true)
                .serve_connection(TokioIo::new(stream), service);
            let _ = http.await;
        });
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[1..] {
        ["world", folder, seconds] => measure(folder, seconds.parse().expect("seconds")),
        ["serve", folder, port] => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(serve(folder, port.parse().expect("a port")));
        }
        _ => {
            eprintln!("usage: cedar_peer world FOLDER SECONDS | serve FOLDER PORT");
            std::process::exit(2);
        }
    }
}
