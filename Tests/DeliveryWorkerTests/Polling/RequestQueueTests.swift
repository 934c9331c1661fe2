import DeliveryQueue
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
