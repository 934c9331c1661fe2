/// Decides which deliveries are called next when more are due than may be called. No endpoint, no drain and no bulk
/// retry keeps others waiting.
///
/// Operators' retries and all other deliveries take turns, so a bulk retry gets at most half of the calls while
/// anything else is due. The others are taken round-robin over endpoints. Within an endpoint, deliveries that failed
/// since its last recovery and older ones take turns, each group in the order in which it failed.
package struct ClaimOrder: Sendable, Equatable {
    /// The due deliveries of one endpoint, by their ids.
    package struct Line: Sendable, Equatable {
        package let endpointID: String
        /// Those that failed since the endpoint's last recovery; all where there was none.
        package var fresh: [Int64]
        /// Those that were held until that recovery.
        package var held: [Int64]

        package init(endpointID: String, fresh: [Int64], held: [Int64] = []) {
            self.endpointID = endpointID
            self.fresh = fresh
            self.held = held
        }

        package var isEmpty: Bool { fresh.isEmpty && held.isEmpty }
    }

    /// The newest call. The next one goes to another endpoint, and from an operator's retry to the schedule or back.
    package struct Last: Sendable, Equatable {
        /// The endpoint of the newest call by schedule; operators' retries do not move the endpoints' turns.
        package let endpointID: String
        /// Whether the newest call was an operator's retry.
        package let isManual: Bool
        /// The number of the newest call; each call raises it.
        package let number: Int64

        package init(endpointID: String, isManual: Bool, number: Int64 = 0) {
            self.endpointID = endpointID
            self.isManual = isManual
            self.number = number
        }

        /// Whether held deliveries go before fresh ones. This decides who is called where there is room for one, so it
        /// must not follow the endpoints' turns. Multiples of the golden ratio fall evenly into every interval (Weyl):
        /// an endpoint that makes every second or third call also gets both answers equally often.
        var putsHeldFirst: Bool { UInt64(bitPattern: number) &* 0x9E37_79B9_7F4A_7C15 >= 1 << 63 }
    }

    /// Operators' retries, soonest first.
    package var manual: [Int64]
    /// Sorted by endpoint id.
    package var lines: [Line]
    /// nil before the first call.
    package var last: Last?

    package init(manual: [Int64] = [], lines: [Line], last: Last? = nil) {
        self.manual = manual
        self.lines = lines
        self.last = last
    }

    /// The ids of the next `limit` deliveries, in the order of their calls.
    package func first(_ limit: Int) -> [Int64] {
        let scheduled = roundRobin(limit)
        let order =
            last?.isManual == true
            ? Self.alternating(scheduled, manual) : Self.alternating(manual, scheduled)
        return Array(order.prefix(limit))
    }

    /// Puts elements sorted by endpoint id in the order of turns, which begins behind the endpoint called last.
    package static func inTurn<Element>(
        _ elements: [Element], by endpointID: (Element) -> String, after last: Last?
    ) -> ArraySlice<Element> {
        let split = last.flatMap { last in elements.firstIndex { endpointID($0) > last.endpointID } } ?? 0
        return elements[split...] + elements[..<split]
    }

    private func roundRobin(_ limit: Int) -> [Int64] {
        var queues = Self.inTurn(lines, by: \.endpointID, after: last).map(inTurn)
        var order: [Int64] = []
        while order.count < limit {
            let before = order.count
            for index in queues.indices {
                if let next = queues[index].popFirst() { order.append(next) }
            }
            guard order.count > before else { break }
        }
        return order
    }

    private func inTurn(_ line: Line) -> ArraySlice<Int64> {
        last?.putsHeldFirst == true
            ? Self.alternating(line.held, line.fresh)[...] : Self.alternating(line.fresh, line.held)[...]
    }

    /// Takes one of each in turn, then the rest of the longer list.
    private static func alternating(_ first: [Int64], _ second: [Int64]) -> [Int64] {
        var order: [Int64] = []
        order.reserveCapacity(first.count + second.count)
        for index in 0..<max(first.count, second.count) {
            if index < first.count { order.append(first[index]) }
            if index < second.count { order.append(second[index]) }
        }
        return order
    }
}
