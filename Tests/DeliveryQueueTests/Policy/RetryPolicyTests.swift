import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct RetryPolicyTests {
    private static let defaultMinutes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 720, 720, 720, 720]

    // MARK: - The default

    @Test(arguments: Array(defaultMinutes.enumerated()))
    func `the default waits double from one minute and stop growing at twelve hours`(index: Int, minutes: Int) {
        #expect(RetryPolicy.standard.wait(beforeAttempt: index + 1) == .minutes(minutes))
    }

    @Test func `the default has 14 attempts over 65 h 3 m within 72 h, and retries superseded events`() {
        let policy = RetryPolicy.standard
        let waits = (1...14).compactMap { policy.wait(beforeAttempt: $0) }

        #expect(waits.reduce(.zero, +) == .hours(65) + .minutes(3))
        #expect(policy.maxAttempts == 14)
        #expect(policy.maxAge == .hours(72))
        #expect(policy.jitter == 0.1)
        #expect(policy.onSuperseded == .retry)
    }

    @Test(arguments: [Int.min, -1, 0, 15, 16, Int.max])
    func `there is no wait before an attempt that the default does not have`(number: Int) {
        #expect(RetryPolicy.standard.wait(beforeAttempt: number) == nil)
    }

    // MARK: - Other spacings

    @Test func `a listed schedule has one attempt for each wait`() {
        let policy = RetryPolicy(spacing: .listed([.minutes(1), .minutes(5), .minutes(30), .hours(2), .hours(6)]))

        #expect(
            (0...6).map { policy.wait(beforeAttempt: $0) } == [
                nil, .minutes(1), .minutes(5), .minutes(30), .hours(2), .hours(6), nil,
            ])
        #expect(policy.maxAttempts == 5)
    }

    @Test func `an empty list has no attempts`() {
        #expect(RetryPolicy(spacing: .listed([])).wait(beforeAttempt: 1) == nil)
    }

    @Test(arguments: [
        (1.0, [10, 10, 10, 10, 10]),
        (1.5, [10, 15, 22.5, 33.75, 50.625]),
        (3.0, [10, 30, 90, 100, 100]),
        (10.0, [10, 100, 100, 100, 100]),
    ])
    func `a multiplier grows the waits up to the cap`(multiplier: Double, seconds: [Double]) {
        let policy = RetryPolicy(
            spacing: .exponential(initial: .seconds(10), multiplier: multiplier, cap: .seconds(100), attempts: 5))

        #expect((1...5).map { policy.wait(beforeAttempt: $0)?.inSeconds } == seconds.map { $0 })
    }

    @Test func `a first wait above the cap is cut to it`() {
        let policy = RetryPolicy(
            spacing: .exponential(initial: .hours(5), multiplier: 2, cap: .hours(1), attempts: 3))

        #expect(policy.wait(beforeAttempt: 1) == .hours(1))
    }

    @Test(arguments: [
        RetryPolicy.Spacing.exponential(
            initial: .seconds(Int64.max), multiplier: 1e300, cap: .seconds(Int64.max), attempts: 1_000),
        .exponential(initial: .seconds(1), multiplier: 1e300, cap: .seconds(Int64.max), attempts: 1_000),
        .exponential(initial: .seconds(1), multiplier: .infinity, cap: .hours(1), attempts: 1_000),
        .exponential(initial: .zero, multiplier: .infinity, cap: .hours(1), attempts: 1_000),
        .exponential(initial: .seconds(1), multiplier: .nan, cap: .hours(1), attempts: 1_000),
        .exponential(initial: .milliseconds(1), multiplier: 2, cap: .days(100_000_000), attempts: 1_000),
        .listed([.seconds(Int64.max), .zero]),
    ])
    func `absurd values never trap and never pass the cap`(spacing: RetryPolicy.Spacing) {
        let policy = RetryPolicy(spacing: spacing, jitter: 1, maxAge: .seconds(Int64.max))
        var jitter = Jitter(endpointID: "e", taskID: "t", cycle: 1, attempt: 1)

        for number in 1...policy.maxAttempts {
            let wait = policy.wait(beforeAttempt: number) ?? .zero
            let delay = policy.delay(beforeAttempt: number, using: &jitter) ?? .zero
            #expect(wait >= .zero)
            #expect(delay >= wait)
            if case .exponential(_, _, let cap, _) = spacing { #expect(wait <= cap) }
            #expect(start + delay >= start)
        }
    }

    // MARK: - Jitter

    @Test(arguments: [0.0, 0.001, 0.1, 0.5, 1.0])
    func `jitter only adds, and never more than its share`(share: Double) {
        let policy = RetryPolicy(jitter: share)

        for seed in 0..<500 {
            for number in 1...policy.maxAttempts {
                var jitter = Jitter(endpointID: "e", taskID: "task-\(seed)", cycle: 1, attempt: number)
                let wait = policy.wait(beforeAttempt: number)?.wholeMilliseconds ?? 0
                let delay = policy.delay(beforeAttempt: number, using: &jitter)?.wholeMilliseconds ?? -1
                #expect(delay >= wait)
                #expect(Double(delay - wait) <= Double(wait) * share)
            }
        }
    }

    @Test func `jitter spreads evenly over its share`() {
        let policy = RetryPolicy(spacing: .listed([.seconds(1_000)]), jitter: 0.1)
        let extras = (0..<2_000).map { seed in
            var jitter = Jitter(endpointID: "e", taskID: "\(seed)", cycle: 1, attempt: 1)
            return (policy.delay(beforeAttempt: 1, using: &jitter) ?? .zero).inSeconds - 1_000
        }

        let tenths = Dictionary(grouping: extras) { Int($0 / 10) }.mapValues(\.count)
        #expect(Set(tenths.keys) == Set(0..<10))
        #expect(tenths.values.allSatisfy { (130...270).contains($0) }, "\(tenths)")
    }

    @Test func `the same delivery and attempt always get the same jitter`() {
        var first = Jitter(endpointID: "e", taskID: "t", cycle: 2, attempt: 3)
        var second = Jitter(endpointID: "e", taskID: "t", cycle: 2, attempt: 3)

        #expect((0..<10).map { _ in first.next() } == (0..<10).map { _ in second.next() })
    }

    @Test func `endpoint, task, cycle and attempt each change the jitter`() {
        var generators = [
            Jitter(endpointID: "e", taskID: "t", cycle: 1, attempt: 1),
            Jitter(endpointID: "f", taskID: "t", cycle: 1, attempt: 1),
            Jitter(endpointID: "e", taskID: "u", cycle: 1, attempt: 1),
            Jitter(endpointID: "e", taskID: "t", cycle: 2, attempt: 1),
            Jitter(endpointID: "e", taskID: "t", cycle: 1, attempt: 2),
            Jitter(endpointID: "et", taskID: "", cycle: 1, attempt: 1),
            Jitter(endpointID: "e", taskID: "t1", cycle: 1, attempt: 1),
            Jitter(endpointID: "e", taskID: "t", cycle: 11, attempt: 1),
        ]

        let values = generators.indices.map { generators[$0].next() }
        #expect(Set(values).count == values.count)
    }

    @Test func `jitter stays the same from one release to the next`() {
        var jitter = Jitter(endpointID: "endpoint", taskID: "task", cycle: 1, attempt: 1)

        #expect(jitter.next() == Self.reference("endpoint\u{0}task\u{0}1\u{0}1"))
    }

    /// The published algorithms, written a second time: FNV-1a 64, then one step of SplitMix64.
    private static func reference(_ text: String) -> UInt64 {
        let hash = text.utf8.reduce(14_695_981_039_346_656_037 as UInt64) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        let state = hash &+ 0x9E37_79B9_7F4A_7C15
        let once = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        let twice = (once ^ (once >> 27)) &* 0x94D0_49BB_1331_11EB
        return twice ^ (twice >> 31)
    }
}
