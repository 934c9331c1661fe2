import Testing

@testable import ProviderSandbox

@Suite struct EventLogTests {
    private func row(_ task: Int, at time: Int64) -> LogRow {
        LogRow(taskJSON: "\(task)", deliveryIndex: task, status: 503, at: time)
    }

    private func tasks(_ rows: [LogRow]?) -> [Int]? {
        rows?.map(\.deliveryIndex)
    }

    @Test func `pages follow the time of the rows, also of one that comes late`() {
        var log = EventLog(seed: 1, order: .newest)
        for (task, time) in [(1, 10), (2, 20), (3, 30), (4, 15)] as [(Int, Int64)] {
            log.append(row(task, at: time))
        }
        #expect(tasks(log.page(1, size: 3)) == [3, 2, 4])
        #expect(tasks(log.page(2, size: 3)) == [1])
        #expect(log.page(3, size: 3) == nil)
        log.reorder(.oldest)
        #expect(tasks(log.page(1, size: 9)) == [1, 4, 2, 3])
    }

    @Test func `an empty log has one empty page and no page zero`() {
        let log = EventLog(seed: 1, order: .newest)
        #expect(tasks(log.page(1, size: 5)) == [])
        #expect(log.page(0, size: 5) == nil)
        #expect(log.page(Int.max, size: 5) == nil)
    }

    @Test(arguments: [(Scenario.Order.newest, [5, 4, 2, 1]), (.oldest, [1, 2, 4, 5])])
    func `what is deleted stands nearest before the page, and the rest moves up`(
        order: Scenario.Order, left: [Int]
    ) {
        var log = EventLog(seed: 1, order: order)
        for task in 1...5 {
            log.append(row(task, at: Int64(task)))
        }
        log.delete(1, before: 2, size: 3) { $0.deliveryIndex == 3 || $0.deliveryIndex == 4 }
        #expect(tasks(log.page(1, size: 9)) == left)
        #expect(log.count == 4)
        log.delete(9, before: 1, size: 3) { _ in true }
        log.delete(9, before: Int.max, size: 3) { _ in true }
        #expect(log.count == 4)
        log.append(row(6, at: 6))
        log.reorder(.oldest)
        #expect(tasks(log.page(1, size: 9)) == left.sorted() + [6])
    }

    @Test func `a shuffled log shows every row once`() {
        var log = EventLog(seed: 1, order: .shuffled)
        for task in 0..<100 {
            log.append(row(task, at: Int64(task)))
        }
        let shown = (1...10).flatMap { tasks(log.page($0, size: 10)) ?? [] }
        #expect(shown != Array(0..<100))
        #expect(shown.sorted() == Array(0..<100))
    }
}
