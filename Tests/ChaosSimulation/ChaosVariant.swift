import DeliveryQueue
import DeliverySimulation
import ProviderAPI
import RedeliverConfiguration

extension ChaosPlan {
    /// What a reload may change of the configuration.
    struct Variant: Sendable {
        var endpoints: [Int]
        var policies: PolicyBook
        var pollInterval: Duration
        var overlap: Duration
        var confirmation: RetryRules.Confirmation
        var confirmInterval: Duration
        var confirmWithin: Duration
        var concurrency: Int
        var perSecond: Double
        var burst: Int
        var circuit: CircuitSettings
    }

    /// Answers confirm where the log shows no retries, or shows whose they are. Otherwise a retry's row without a name,
    /// of a delivery that counts as delivered, would be a failure of its own.
    ///
    /// Three configurations that may be in force in chaos, and one for the end, which polls every endpoint that there
    /// ever was.
    mutating func addVariants(_ dice: inout SeededGenerator, overlap: Duration) {
        let confirmInterval = dice.minutes(10...30)
        let shared = (
            poll: dice.minutes(20...60), confirm: confirmInterval, within: confirmInterval + dice.minutes(1...30),
            isByAnswer: dice.chance(0.1) && log.trace != .unnamedNewID, hasCircuit: dice.chance(0.6)
        )
        for number in 0...3 {
            let isLast = number == 3
            let all = Array(receivers.indices)
            variants.append(
                Variant(
                    endpoints: isLast || number == 0 || dice.chance(0.6) ? all : [dice.pick(all)],
                    policies: policies(&dice),
                    pollInterval: shared.poll, overlap: overlap,
                    confirmation: shared.isByAnswer || (isLast && log.trace == .silent) ? .answer : .log,
                    confirmInterval: shared.confirm, confirmWithin: shared.within, concurrency: dice.int(1...4),
                    perSecond: dice.pick([0.2, 1, 10]), burst: dice.int(1...5),
                    circuit: CircuitSettings(
                        isEnabled: dice.chance(0.1) ? !shared.hasCircuit : shared.hasCircuit,
                        openAfter: dice.int(2...5),
                        trialDelays: [.seconds(600), .seconds(1_800)], maxHold: dice.minutes(360...2_880),
                        rampLimit: dice.chance(0.3) ? nil : 4)))
        }
    }

    private func policies(_ dice: inout SeededGenerator) -> PolicyBook {
        var entries: [PolicyBook.Entry] = []
        for events in [["profile_*"], ["document_upload"], ["*"]] {
            let spacing: RetryPolicy.Spacing =
                dice.chance(0.3)
                ? .listed((0..<dice.int(1...5)).map { _ in dice.minutes(2...90) })
                : .exponential(
                    initial: dice.minutes(2...30), multiplier: 2, cap: dice.minutes(30...90),
                    attempts: dice.int(1...6))
            let age = dice.pick([.seconds(72 * 3_600), dice.minutes(60...900)])
            entries.append(
                .init(
                    events: events,
                    policy: RetryPolicy(
                        spacing: spacing, jitter: 0.1, maxAge: age,
                        onSuperseded: dice.chance(0.2) ? .skip : .retry)))
        }
        return PolicyBook(entries: entries)
    }

    /// The most attempts that any of the configurations gives an event type.
    func mostAttempts(for eventType: String) -> Int {
        variants.map { $0.policies.policy(for: eventType).policy.maxAttempts }.max() ?? 0
    }

    /// - Parameters:
    ///   - folder: where the database and the metrics file are.
    ///   - database: the file's name, different for each life of the worker that ended by a kill.
    func configuration(variant: Int, folder: String, database: String) throws -> WorkerConfiguration {
        let variant = variants[variant]
        var configuration = try WorkerConfiguration.read(
            yaml: """
                provider: {base_url: "https://provider.invalid", auth: {token_file: not-here}}
                endpoints: [{id: e-1}]
                database: not-here.db
                """,
            path: "/not-here/redeliver.yaml", environment: [:],
            credential: usesLogin
                ? .login(username: "worker", password: .value(Secret("password"))) : .token(Secret("fixed")))
        configuration.endpoints = variant.endpoints.map { .init(id: receivers[$0].id, name: "name-\($0)") }
        if mirror != nil { configuration.endpoints.append(.init(id: Self.mirrorID, name: "name-mirror")) }
        configuration.database = "\(folder)/\(database)"
        configuration.metrics.textfile = "\(folder)/\(database).prom"
        configuration.metrics.interval = .seconds(7_200)
        configuration.provider.requestTimeout = Self.requestTimeout
        configuration.poll.interval = variant.pollInterval
        configuration.poll.overlap = variant.overlap
        configuration.poll.initialLookback = .seconds(10 * 86_400)
        configuration.confirm.by = variant.confirmation
        configuration.confirm.interval = variant.confirmInterval
        configuration.confirm.within = variant.confirmWithin
        configuration.retry.concurrency = variant.concurrency
        configuration.retry.perSecond = variant.perSecond
        configuration.retry.burst = variant.burst
        configuration.circuit = variant.circuit
        configuration.policies = variant.policies
        return configuration
    }

    /// The timeout of calls in all configurations.
    static let requestTimeout = Duration.seconds(30)
}
