import DeliverySimulation
import Foundation
import ProviderAPI
import RedeliverConfiguration

extension FuzzTarget {
    /// A variable of the environment. It is read, passed over, or refused by its name in plain text.
    static let environment = FuzzTarget(
        name: "environment", share: 20, samples: EnvironmentReading.samples, make: EnvironmentReading.make,
        check: { bytes in
            let parts = String(decoding: bytes, as: UTF8.self).split(separator: "=", maxSplits: 1).map(String.init)
            guard let name = parts.first else { return }
            do throws(ConfigurationError) {
                _ = try WorkerConfiguration.read(
                    yaml: EnvironmentReading.yaml, path: "/c.yaml",
                    environment: [name: parts.count > 1 ? parts[1] : ""])
            } catch {
                try Violation.unless(name.hasPrefix("REDELIVER_"), "the name of another program is refused")
                for fault in error.faults { try Planted.checkPlain(fault.line(path: "/c.yaml")) }
            }
        })

    /// The content of a file for a token. What cannot work is named in plain text, without the content.
    static let secret = FuzzTarget(
        name: "secret", share: 10, samples: SecretReading.samples, make: { Array(Hostile.text(&$0).utf8) },
        check: { bytes in
            let folder = FileManager.default.temporaryDirectory
            let file = folder.appending(path: "redeliver-fuzz-\(UUID().uuidString)")
            try Data(bytes).write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            guard let problem = Credential.tokenFile(path: file.path).problemInFile() else { return }
            try Planted.check(problem, hides: [Planted.token, Planted.password])
        })

    /// Any text on its way to a terminal or a log.
    static let printable = FuzzTarget(
        name: "printable", share: 20, samples: Hostile.texts.map { Array($0.utf8) },
        make: { Array((Hostile.text(&$0) + Hostile.text(&$0)).utf8) },
        check: { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            let (line, lines) = (Printable.text(text), Printable.lines(text))
            try Planted.checkPlain(line)
            for part in lines.unicodeScalars.split(separator: "\n") { try Planted.checkPlain(String(part)) }
            let breaks = text.unicodeScalars.count { $0 == "\n" }
            try Violation.unless(lines.unicodeScalars.count { $0 == "\n" } == breaks, "a line break came or went")
            try Violation.unless(line.unicodeScalars.count == text.unicodeScalars.count, "another length")
        })
}

enum EnvironmentReading {
    static let yaml = """
        provider: {base_url: "http://127.0.0.1:9", auth: {token: t}}
        endpoints: [{id: e}]
        database: /d.db
        """

    static func make(_ random: inout SeededGenerator) -> [UInt8] {
        let chosen = (0..<Int.random(in: 1...6, using: &random)).map { _ in Hostile.pick(words, &random) }
        let value = Hostile.chance(1, in: 2, &random) ? Hostile.text(&random) : Hostile.pick(Hostile.numbers, &random)
        return Array(("REDELIVER_" + chosen.joined(separator: "_") + "=" + value).utf8)
    }

    private static let words = [
        "SERVICE", "HOST", "PORT", "9464", "TCP", "UDP", "ADDR", "PROTO", "METRICS", "RETRY", "CONCURRENCY", "PROVIDER",
        "AUTH", "TOKEN", "BASE", "URL", "", "É", "POLL", "INTERVAL",
    ]

    static let samples: [[UInt8]] = [
        "REDELIVER_SERVICE_HOST=10.0.0.1", "REDELIVER_PORT=tcp://10.0.0.1:9464",
        "REDELIVER_METRICS_PORT_9464_TCP_ADDR=10.0.0.1", "REDELIVER_RETRY_CONCURRENCY=16", "PATH=/bin",
        "REDELIVER_PROVIDER_AUTH_TOKEN=x", "REDELIVER_\u{1B}[2J=1", "REDELIVER_LOG_LEVEL=info",
    ].map { Array($0.utf8) }
}

private enum SecretReading {
    static let samples: [[UInt8]] = [
        "", "\n", Planted.token, "Bearer " + Planted.token, "\u{FEFF}" + Planted.token, Planted.token + " x\r\n",
        Planted.password,
    ].map { Array($0.utf8) }
}
