import DeliveryQueue
import TestSupport
import Testing

@testable import DeliveryWorker

/// Whose page is asked for next when requests are limited.
@Suite struct RequestQueueTests {
    /// Takes tickets until none is left; a served purpose comes back at once when it is in `endless`.
    private func order(
        _ waiting: [(PagePurpose, String)], endless: Set<PagePurpose> = [], count: Int = 20
    ) -> [String] {
        var queue = RequestQueue()
        for (purpose, endpoint) in waiting { _ = queue.add(purpose, of: endpoint) }
        var order: [String] = []
        while order.count < count, let ticket = queue.next {
            queue.take(ticket)
            order.append("\(ticket.purpose.rawValue) \(ticket.endpointID)")
            if endless.contains(ticket.purpose) { _ = queue.add(ticket.purpose, of: ticket.endpointID) }
        }
        return order
    }

    @Test func `what calls wait for goes first, and gaps go last`() {
        let waiting = PagePurpose.allCases.reversed().map { ($0, "e") }

        #expect(order(waiting) == ["look e", "confirm e", "new e", "again e", "gap e"])
    }

    @Test func `each purpose that waits gets at least every fifth request`() {
        let order = order([(.look, "e"), (.gap, "e")], endless: [.look, .gap])

        #expect(order.count { $0 == "gap e" } == 4)
        #expect(Set(order.enumerated().filter { $0.element == "gap e" }.map { $0.offset % 5 }) == [4])
    }

    @Test func `when all purposes wait for ever, all get their share`() {
        let order = order(PagePurpose.allCases.map { ($0, "e") }, endless: Set(PagePurpose.allCases), count: 100)

        for purpose in PagePurpose.allCases {
            #expect(order.count { $0 == "\(purpose.rawValue) e" } >= 15, "\(purpose)")
        }
    }

    @Test func `when all purposes wait, any five requests in a row have one of each`() {
        let order = order(PagePurpose.allCases.map { ($0, "e") }, endless: Set(PagePurpose.allCases), count: 50)

        for first in 0...45 {
            #expect(Set(order[first..<first + 5]).count == 5, "\(order[first..<first + 5])")
        }
    }

    @Test func `a purpose waits for four requests of others at most, whichever wait beside it and since when`() {
        for seed in UInt64(1)...200 {
            var (queue, random) = (RequestQueue(), SeededNumbers(seed: seed))
            var waiting: [PagePurpose: (tickets: Int, passedOver: Int)] = [:]
            for _ in 0..<60 {
                for purpose in PagePurpose.allCases where random.next() % 3 == 0 {
                    _ = queue.add(purpose, of: "e")
                    waiting[purpose, default: (0, 0)].tickets += 1
                }
                guard let ticket = queue.next else { continue }
                queue.take(ticket)
                for purpose in Array(waiting.keys) { waiting[purpose]?.passedOver += 1 }
                let left = (waiting[ticket.purpose]?.tickets ?? 0) - 1
                waiting[ticket.purpose] = left > 0 ? (left, 0) : nil
                #expect(waiting.values.allSatisfy { $0.passedOver <= 4 }, "seed \(seed)")
            }
        }
    }

    @Test func `endpoints of one purpose take turns`() {
        let order = order([(.new, "a"), (.new, "b"), (.new, "c")], endless: [.new], count: 6)

        #expect(order == ["new a", "new b", "new c", "new a", "new b", "new c"])
    }

    @Test func `who waits no more is not asked`() {
        var queue = RequestQueue()
        let first = queue.add(.look, of: "a")
        let second = queue.add(.gap, of: "b")

        queue.remove(first)

        #expect(queue.next == second)
    }
}
