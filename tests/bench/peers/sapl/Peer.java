import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.OperatingSystemMXBean;
import io.sapl.api.pdp.AuthorizationSubscription;
import io.sapl.api.pdp.Decision;
import io.sapl.interpreter.combinators.PolicyDocumentCombiningAlgorithm;
import io.sapl.pdp.PolicyDecisionPointFactory;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * SAPL as `./dev bench peers` asks it in process: "Peer world FOLDER SECONDS" prints one line of JSON, as
 * tests/bench/peers/dpl/peer.cc says. CPU is that of the whole process, collector and compiler threads included; the
 * warm-up is as long as what is measured, for the compiler's sake.
 */
public final class Peer {
    private static final OperatingSystemMXBean SYSTEM = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private interface Pass {
        void run() throws Exception;
    }

    private static List<Long> repeat(double seconds, int decisions, Pass pass) throws Exception {
        var ns = new ArrayList<Long>();
        var end = System.nanoTime() + (long) (seconds * 1e9);
        do {
            var start = SYSTEM.getProcessCpuTime();
            pass.run();
            ns.add((SYSTEM.getProcessCpuTime() - start) / decisions);
        } while (System.nanoTime() < end);
        return ns;
    }

    private static List<Long> passes(double seconds, int decisions, Pass pass) throws Exception {
        repeat(seconds, decisions, pass);
        return repeat(seconds, decisions, pass);
    }

    private static AuthorizationSubscription subscription(String body) throws Exception {
        JsonNode root = MAPPER.readTree(body);
        return new AuthorizationSubscription(root.get("subject"), root.get("action"), root.get("resource"), null);
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 3 || !arguments[0].equals("world")) {
            System.err.println("usage: Peer world FOLDER SECONDS");
            System.exit(2);
        }
        var folder = Path.of(arguments[1]);
        var seconds = Double.parseDouble(arguments[2]);
        var start = SYSTEM.getProcessCpuTime();
        var documents = new ArrayList<String>();
        try (var files = Files.newDirectoryStream(folder.resolve("sapl"), "*.sapl")) {
            for (var file : files) documents.add(Files.readString(file));
        }
        var configuration = MAPPER.readTree(folder.resolve("sapl/pdp.json").toFile());
        var algorithm = PolicyDocumentCombiningAlgorithm.valueOf(configuration.get("algorithm").asText());
        var pdp = PolicyDecisionPointFactory.fixedInRamPolicyDecisionPoint(documents, algorithm, Map.of());
        var bodies = Files.readAllLines(folder.resolve("sapl.jsonl"));
        var subscriptions = new ArrayList<AuthorizationSubscription>();
        for (var body : bodies) subscriptions.add(subscription(body));
        var decisions = new StringBuilder();
        for (var subscription : subscriptions) {
            decisions.append(pdp.decide(subscription).blockFirst().getDecision() == Decision.PERMIT ? '1' : '0');
        }
        var loadMs = (SYSTEM.getProcessCpuTime() - start) / 1e6;
        var decide = passes(seconds / 2, bodies.size(), () -> {
            for (var subscription : subscriptions) pdp.decide(subscription).blockFirst();
        });
        var bytes = passes(seconds / 2, bodies.size(), () -> {
            for (var body : bodies) MAPPER.writeValueAsBytes(pdp.decide(subscription(body)).blockFirst());
        });
        System.out.println(MAPPER.writeValueAsString(Map.of("decisions", decisions.toString(), "load_ms", loadMs,
                "ns", Map.of("decide", decide, "bytes", bytes))));
        System.exit(0);
    }
}
