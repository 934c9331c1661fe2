import DeliverySimulation
import RedeliverConfiguration

extension FuzzTarget {
    /// Configuration files. Each is used, or refused with a place and a cause for every fault.
    static let configuration = FuzzTarget(
        name: "configuration", share: 10, samples: ConfigurationReading.samples, make: ConfigurationReading.make,
        check: { bytes in try ConfigurationReading.check(String(decoding: bytes, as: UTF8.self)) })
}

enum ConfigurationReading {
    static func check(_ yaml: String) throws {
        do throws(ConfigurationError) {
            let read = try WorkerConfiguration.read(yaml: yaml, path: "/c.yaml", environment: [:])
            try checkRanges(read)
        } catch {
            try check(
                error, lines: yaml.unicodeScalars.count { "\n\r\u{85}\u{2028}\u{2029}".unicodeScalars.contains($0) } + 1
            )
        }
    }

    private static func check(_ error: ConfigurationError, lines: Int) throws {
        try Violation.unless(!error.faults.isEmpty, "refused without a fault")
        for fault in error.faults {
            try Violation.unless(!fault.problem.isEmpty, "a fault without a cause")
            try Violation.unless(!fault.key.isEmpty || !fault.problem.isEmpty, "a fault of nothing")
            if let line = fault.line {
                try Violation.unless((1...(lines + 1)).contains(line), "a fault in line \(line) of \(lines)")
                try Violation.unless((fault.column ?? 1) >= 1, "a fault in column \(fault.column ?? 0)")
            }
            try Planted.checkPlain(fault.line(path: "/c.yaml"))
        }
    }

    private static func checkRanges(_ read: WorkerConfiguration) throws(ConfigurationError) {
        let isInRange =
            (1...256).contains(read.retry.concurrency) && read.retry.perSecond > 0 && read.retry.perSecond.isFinite
            && read.retry.burst >= 1 && !read.endpoints.isEmpty && read.database.utf8.first == UInt8(ascii: "/")
            && read.provider.requestTimeout > .zero && read.poll.interval > .zero
            && read.confirm.within >= read.confirm.interval
            && Set(read.endpoints.map(\.id)).count == read.endpoints.count
        if !isInRange { throw ConfigurationError(path: "", faults: []) }
    }

    /// The lines of the sample, some of them changed, repeated, removed or indented.
    static func make(_ random: inout SeededGenerator) -> [UInt8] {
        var lines = String(decoding: samples[0], as: UTF8.self).split(separator: "\n").map(String.init)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0..<lines.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: lines[place] = String(lines[place].prefix { $0 != ":" }) + ": " + value(&random)
            case 1: lines.insert(lines[place], at: place)
            case 2 where lines.count > 1: lines.remove(at: place)
            case 3: lines[place] = " " + lines[place]
            case 4: lines.insert("  " + Hostile.text(&random) + ": " + value(&random), at: place)
            default: lines[place] += value(&random)
            }
        }
        return Array(lines.joined(separator: "\n").utf8)
    }

    private static func value(_ random: inout SeededGenerator) -> String {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: Hostile.text(&random)
        case 1: Hostile.pick(Hostile.numbers, &random) + Hostile.pick(["", "s", "m", "d", "ms"], &random)
        case 2: "\"" + Hostile.text(&random) + "\""
        case 3: String(decoding: HostileJSON.value(&random, depth: 2), as: UTF8.self)
        default:
            Hostile.pick(
                ["&a [*a, *a]", "*a", "!!binary x", "| \n  x", "{a: b", "[x", "? y", "%TAG", "---", "..."], &random)
        }
    }

    static let samples: [[UInt8]] = [
        """
        provider:
          base_url: https://eu.amani.ai
          auth: {token: t0k3n}
          request_timeout: 30s
          log_fields: {body: [payload, data], outcome: state}
        endpoints:
          - {id: "e-1", name: core, webhook_id: "7"}
          - id: e-2
        database: /var/lib/redeliver/redeliver.db
        metrics: {textfile: /tmp/x.prom, interval: 15s}
        poll: {interval: 1m, overlap: 15m, initial_lookback: 3d}
        confirm: {by: log, interval: 15s, within: 5m}
        retry: {concurrency: 16, per_second: 10, burst: 20}
        circuit: {enabled: true, open_after: 5, trial_delays: [1m, 5m], max_hold: 7d, ramp: false}
        policies:
          - {events: ["profile_*"], initial_delay: 30s, multiplier: 2, max_delay: 6h, max_attempts: 20, jitter: 0.1}
          - {events: ["*"], delays: [0s, 1m, 5m]}

        """, "provider: {}", "", "a: &x [1]\nb: *x", "- 1", "{", "\t", "a: b: c", "!!set {a}", "\u{FEFF}database: /x",
    ].map { Array($0.utf8) }
}
