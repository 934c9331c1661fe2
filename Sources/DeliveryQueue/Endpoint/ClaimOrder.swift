/// Who is called next when more is due than may be called: no endpoint, no drain and no bulk retry keeps others waiting.
///
/// Operators' retries and all other deliveries take turns, so a bulk retry gets at most half of the calls while anything else
/// is due. The others are taken round-robin over endpoints. Within an endpoint what failed since it last recovered and what is
/// left of the time before take turns, each in the order in which it failed.
package struct ClaimOrder: Sendable, Equatable {
    /// The due deliveries of one endpoint, by their ids.
    package struct Line: Sendable, Equatable {
        package let endpointID: String
        /// What failed since the endpoint's circuit last closed, or all where it never did.
        package var fresh: [Int64]
        /// What was held until then.
        package var held: [Int64]

        package init(endpointID: String, fresh: [Int64], held: [Int64] = []) {
            self.endpointID = endpointID
            self.fresh = fresh
            self.held = held
        }

        package var isEmpty: Bool { fresh.isEmpty && held.isEmpty }
    }

    /// The call before: the next one goes to another endpoint, or from an operator's retry to the schedule and back.
    package struct Last: Sendable, Equatable {
        /// Of the newest call by schedule: operators' retries between move no endpoint's turn.
        package let endpointID: String
        /// Of the newest call of all.
        package let isManual: Bool
        /// Of the newest call of all; counts calls.
        package let number: Int64

        package init(endpointID: String, isManual: Bool, number: Int64 = 0) {
            self.endpointID = endpointID
            self.isManual = isManual
            self.number = number
        }

        /// Whether what was held goes before what failed since. Decides who is called where there is room for one, so it must
        /// not follow the endpoints' own turns: an endpoint that makes every second or third call gets both answers equally
        /// often as well, because multiples of the golden ratio fall evenly into every interval (Weyl).
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

    /// The first `limit` deliveries in turn.
    package func first(_ limit: Int) -> [Int64] {
        let scheduled = roundRobin(limit)
        let order =
            last?.isManual == true
            ? Self.alternating(scheduled, manual) : Self.alternating(manual, scheduled)
        return Array(order.prefix(limit))
    }

    /// What belongs to endpoints, sorted by their ids, in the order of their turns: begins behind the one that was called last.
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

    /// One of each in turn, and what is left of the longer one.
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
