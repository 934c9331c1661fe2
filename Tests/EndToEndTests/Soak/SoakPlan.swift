/// What happens in a soak and when: failures that come in all the time, and a round of troubles that begins anew with
/// each cycle. Nothing in it is left to chance.
struct SoakPlan {
    /// A thing to do, with the words of those who do it.
    enum Step: Equatable {
        /// `POST /_control` of the sandbox.
        case control(String)
        /// A command of `redeliver`, as an operator or cron types it.
        case command([String])
        /// SIGHUP, after the configuration was changed.
        case reload
        /// To a new file, in the place of the last one.
        case backup
        /// What is old enough by the soak's measure passes its retention and is pruned.
        case prune
    }

    /// Seconds; four quarters of whole cycles, so that like is compared with like.
    let length: Double
    let cycle: Double
    let endpoints = 8
    /// New failures in a minute.
    let perMinute = 1_000.0

    /// - Parameter minutes: nil: some seconds, which show that the soak itself works and can judge nothing.
    init(minutes: Double?) {
        guard let minutes else {
            (length, cycle) = (10, 10)
            return
        }
        length = minutes * 60
        cycle = length / 4 / max(1, (length / 4 / 150).rounded())
    }

    /// Whether the run is long enough for a verdict on its figures.
    var isJudged: Bool { cycle >= 60 }
    var sampleInterval: Double { isJudged ? 10 : 1 }
    /// What was delivered stays so long. The poller must never read that far back, or it would meet failures whose
    /// deliveries are gone: the overlap and the longest silence of the provider lie far below.
    var kept: Double { max(0.9 * cycle, 90) }
    var overlap: Double { cycle / 10 }

    /// How many failures have come in by then.
    func failures(by second: Double) -> Int {
        Int(min(second, length) * perMinute / 60)
    }

    /// What is to be done after one moment and up to another one, in order.
    func steps(after earlier: Double, through later: Double) -> [Step] {
        var due: [(at: Double, step: Step)] = []
        for number in Int(max(0, earlier) / cycle)...Int(later / cycle) {
            let start = Double(number) * cycle
            due += round(number).map { (start + $0.0 * cycle, $0.1) }
        }
        return due.filter { earlier < $0.at && $0.at <= later && $0.at < length }
            .sorted { $0.at < $1.at }.map(\.step)
    }

    /// One cycle, by shares of its length. Each one strikes other endpoints, and its log shows retries in another way.
    private func round(_ number: Int) -> [(Double, Step)] {
        let (down, paused) = (number % endpoints, (number + 3) % endpoints)
        let shape = ["same", "named", "silent"][number % 3]
        return [
            (0.03, .control(#"{"set":{"retry-logs":"\#(shape)"}}"#)),
            (0.05, .control(#"{"fault":"retry:status=429,retry-after=2:4"}"#)),
            (0.10, .prune),
            (0.15, .control(#"{"fault":["retry:drop-after:6","retry:drop-before:6","retry:status=500:3"]}"#)),
            (0.20, .control(#"{"outage":{"endpoint":\#(down),"seconds":\#(0.2 * cycle)}}"#)),
            (0.25, .command(["status", "--json"])),
            (0.30, .control(#"{"fault":["logs:garbage:3","logs:truncate:3","logs:status=502:3"]}"#)),
            (0.35, .command(["endpoints", "pause", "receiver-\(paused)", "--reason", "soak"])),
            (0.42, .command(["endpoints", "resume", "receiver-\(paused)", "--reason", "soak"])),
            (0.45, .backup),
            (0.50, .prune),
            // Without a time to wait it would be left alone for minutes, a cycle's share of them.
            (0.55, .control(#"{"fault":"any:status=503,retry-after=2"}"#)),
            (0.60, .control(#"{"clear_faults":true}"#)),
            (0.65, .reload),
            (0.70, .command(["deliveries", "list", "--state", "scheduled"])),
            (
                0.75,
                .command([
                    "deliveries", "retry", "--state", "scheduled", "--endpoint", "receiver-\(down)", "--confirm",
                    "--reason",
                    "soak",
                ])
            ),
            (0.80, .control(#"{"outage":{"endpoint":\#(paused),"accepts":5,"seconds":\#(0.05 * cycle)}}"#)),
            (0.90, .prune),
        ]
    }
}
