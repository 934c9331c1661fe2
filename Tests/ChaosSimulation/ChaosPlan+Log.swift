import DeliverySimulation

extension ChaosPlan {
    /// What is wrong with one endpoint's log for a while. All of it ends with chaos.
    struct Spell: Sendable {
        enum Kind: Sendable, Equatable {
            /// Each page takes so long, which is less than the timeout.
            case slow(Duration)
            /// From the second page on, `next` leads back to the page before: a circle of two pages.
            case circle
            /// Before each further page stand pages without a row, each under a new address; nil: there is no end of
            /// them.
            case empty(Int?)
            /// This page behind the first cannot be read: status 500, or bytes that are no JSON.
            case bad(page: Int, hasStatus: Bool)
            /// Between two pages old entries are deleted, so that those behind them move up.
            case deleting
        }

        var endpoint: Int
        var range: Range<Duration>
        var kind: Kind
    }

    /// Why a promise cannot be asked for.
    enum Excuse: String, Sendable {
        case slow = "a look is good for twice its own time, and a log that answers slowly is looked at in several turns"
        case uncounted =
            "a log that does not count its entries cannot show that one moved over a border between two pages"
    }

    /// The spell under which an endpoint's log is; nil: none. A slow log may have another one as well.
    func spell(of endpoint: Int, at time: Duration) -> Spell.Kind? {
        spells.first { $0.endpoint == endpoint && $0.range.contains(time) && !$0.isSlow }?.kind
    }

    /// How long a page of an endpoint's log takes.
    func pageTime(of endpoint: Int, at time: Duration) -> Duration {
        let spell = spells.first { $0.endpoint == endpoint && $0.range.contains(time) && $0.isSlow }
        guard case .slow(let delay)? = spell?.kind else { return .milliseconds(60) }
        return delay
    }

    /// Why a look at this time may have missed an entry that the log has shown for a while; nil: it may not.
    func excuse(forLookAt endpoint: Int, at time: Duration) -> Excuse? {
        for spell in spells where spell.endpoint == endpoint && time >= spell.range.lowerBound {
            let length = spell.range.upperBound - spell.range.lowerBound
            switch spell.kind {
            // The last look of a slow spell may have begun with it, and be good for as long again after it.
            case .slow where time < spell.range.upperBound + length + .seconds(3_600): return .slow
            // Until the overlap is read again, if it was not deeper.
            case .deleting where log.shape != .results && time < spell.range.upperBound + log.longestDelay:
                return .uncounted
            case .slow, .deleting, .circle, .empty, .bad: continue
            }
        }
        return nil
    }

    // MARK: - What the seed decides

    /// A log that is long beside its pages, with entries from before the beginning, which nothing awaits. Some of these
    /// have failed.
    mutating func addHistory() {
        var dice = SeededGenerator(seed: seed ^ 0x1069)
        guard dice.chance(0.25) else { return }
        // More than the 20 that a usual look goes deep; where each look is a pass, few more.
        let pages = dice.int(22...(log.order == .newestFirst ? 70 : 30))
        log.pageSize = dice.int(2...6)
        for number in 0..<log.pageSize * pages {
            let time = dice.time(.seconds(-172_800)..<chaosEnd)
            events.append(.filler("old-\(number)", endpoint: dice.int(0...receivers.count - 1), at: time))
        }
        for number in 0..<dice.int(2...8) {
            events.append(
                Event(
                    endpoint: dice.int(0...receivers.count - 1), time: dice.time(.seconds(-86_400)..<Duration.zero),
                    eventType: "document_upload", taskID: "\"early-\(number)\"", customerID: "\"c-early\"",
                    body: "{\"early\":\(number)}", isPoison: false, secondTry: nil, isGarbled: false))
        }
    }

    mutating func addSpells() {
        var dice = SeededGenerator(seed: seed ^ 0x5be1)
        hasInnerLinks = dice.chance(0.25)
        guard dice.chance(0.6) else { return }
        for _ in 0..<dice.int(1...3) {
            let from = dice.chance(0.3) ? .zero : dice.time(.zero..<chaosEnd - .seconds(600))
            let kind: Spell.Kind =
                switch dice.int(0...4) {
                case 0: .slow(dice.time(.seconds(2)..<Self.requestTimeout - .seconds(2)))
                case 1: .circle
                case 2: .empty(dice.chance(0.5) ? nil : dice.int(1...4))
                case 3: .bad(page: dice.int(1...4), hasStatus: dice.chance(0.5))
                default: .deleting
                }
            spells.append(
                Spell(
                    // Often the second one: its log must not keep the first from anything.
                    endpoint: dice.chance(0.5) ? receivers.count / 2 : dice.int(0...receivers.count - 1),
                    range: from..<min(chaosEnd, from + dice.minutes(10...600)), kind: kind))
        }
    }

    /// The date of the answers is wrong for a while, as behind a proxy whose clock is. It runs, so the worker goes by
    /// it: that is why such a plan counts as one with a wrong clock.
    mutating func addLies() {
        var dice = SeededGenerator(seed: seed ^ 0x11e5)
        guard tellsTime, clock.isEmpty, drift == 0, standing == nil, dice.chance(0.3) else { return }
        let from = dice.chance(0.3) ? .zero : dice.time(.zero..<chaosEnd / 2)
        let offset = dice.pick([-86_400, -3_600, -120, 120, 3_600, 86_400, 100 * 86_400])
        lies = [(from, .seconds(offset)), (dice.time(from + .seconds(600)..<chaosEnd), .zero)]
    }

    /// Only where answers do not name the task ids of the retries: what should an entry be then that nothing names?
    mutating func addForeignNames() {
        var dice = SeededGenerator(seed: seed ^ 0xf0e1)
        guard log.trace != .namedNewID, dice.chance(0.3) else { return }
        foreignNames = dice.pick([0.1, 0.5, 1])
    }

    /// Some poll often enough to show what a poll without anything new costs. Only where that could be more than a
    /// page, and not where each look is a pass through the whole log.
    mutating func addFrequentPolls() {
        var dice = SeededGenerator(seed: seed ^ 0x9011)
        guard log.order == .newestFirst, log.pageSize < 10, dice.chance(0.6) else { return }
        let interval = Duration.seconds(dice.int(90...180))
        for index in variants.indices { variants[index].pollInterval = interval }
        // Many rows at once, when all else is calm: for as long as the overlap, a poll that reads more than what is new
        // would read all of them again.
        for number in 0..<log.pageSize * 8 {
            events.append(
                .filler("burst-\(number)", endpoint: 0, at: chaosEnd + .seconds(3_600) + .milliseconds(number * 500)))
        }
    }
}

extension ChaosPlan.Event {
    /// An event that arrives at once.
    fileprivate static func filler(_ name: String, endpoint: Int, at time: Duration) -> Self {
        .init(
            endpoint: endpoint, time: time, eventType: "profile_update", taskID: "\"\(name)\"", customerID: "\"c-old\"",
            body: "{\"filler\":\"\(name)\"}", isPoison: false, secondTry: nil, isGarbled: false, isFiller: true)
    }
}

extension ChaosPlan.Spell {
    fileprivate var isSlow: Bool {
        if case .slow = kind { true } else { false }
    }
}
