import DeliveryQueue
import DeliverySimulation
import HostileInput
import ProviderAPI
import Testing

@testable import DeliveryWorker

/// Made pages through the poller into a real database, and out into the metrics file.
@Suite struct HostileLogTests {
    @Test(arguments: 1...6) func `hostile pages are stored or refused, and the metrics file stays readable`(
        seed: UInt64
    ) async throws {
        let bench = try await Workbench()
        let target = try #require(FuzzTarget.all.first { $0.name == "page" })
        var read = 0
        for number in UInt64(0)..<120 {
            let input = target.input(seed: seed, number: number)
            let transport = ScriptedTransport { _ async throws(TransportError) in HTTPResponse(status: 200, body: input)
            }
            do {
                read += try await bench.poller(transport).runOnce(at: bench.time.now).entries
            } catch is ProviderError {
            } catch is PagingFault {
            } catch {
                Issue.record("seed \(seed) input \(number): \(error)")
            }
        }
        #expect(read > 15)
        let worker = MetricsPage.Worker(
            version: "1", started: .noon, lastTurns: [:], gate: GateStanding(rate: 1, isTrial: false), databaseSize: 0,
            walSize: 0)
        var random = SeededGenerator(seed: seed)
        // A set, because the strict reader takes two ways to write an accent for the same.
        try await bench.store.registerEventTypes(
            Set((0..<20).map { _ in Hostile.text(&random) }).sorted(), at: .noon(-3_600))
        let page = MetricsPage.text(queue: try await bench.store.snapshot(at: .noon), worker: worker, at: .noon)
        _ = try MetricsParser(page)
        #expect(try bench.text("PRAGMA integrity_check") == "ok")
        #expect(try bench.rows("PRAGMA foreign_key_check").isEmpty)
    }
}
