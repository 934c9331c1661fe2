import Synchronization
import Testing

@testable import DeliveryQueue
@testable import DeliveryWorker
@testable import ProviderAPI

/// A disk that fills up: logs are not read any more, everything else goes on.
@Suite struct DiskReserveTests {
    private static let reserve = DiskReserve.most

    private static let margin: Int64 = 16 << 20

    /// A disk whose free space a test sets, and what is said of it.
    private struct Disk {
        private let free: Free
        let lines: LogLines
        let room: DiskRoom

        private final class Free: Sendable {
            let bytes: Mutex<Int64?>

            init(_ bytes: Int64?) { self.bytes = Mutex(bytes) }
        }

        init(_ bytes: Int64?) {
            let free = Free(bytes)
            let lines = LogLines()
            (self.free, self.lines) = (free, lines)
            room = DiskRoom(logger: lines.logger) { free.bytes.withLock { $0 } }
        }

        func set(_ bytes: Int64?) { free.bytes.withLock { $0 = bytes } }
    }

    // MARK: - The decision

    @Test func `reading stops below the reserve and goes on with a margin above it`() {
        var disk = DiskReserve()
        let looks: [(free: Int64?, isChange: Bool, isShort: Bool)] = [
            (Self.reserve, false, false), (Self.reserve - 1, true, true), (0, false, true),
            (Self.reserve + Self.margin - 1, false, true), (Self.reserve + Self.margin, true, false),
            (Self.reserve, false, false), (0, true, true), (nil, true, false),
        ]
        for look in looks {
            #expect(disk.see(look.free) == look.isChange, "\(look)")
            #expect(disk.isShort == look.isShort && disk.free == look.free, "\(look)")
        }
    }

    /// The largest page is written twice.
    @Test func `the reserve holds the largest page`() {
        #expect(Self.reserve >= 2 * Int64(ProviderClient.pageLimit))
    }

    /// 128 MiB on a volume of 100 MiB never read a log.
    @Test(
        arguments: [
            (nil, 128), (Int64.max, 128), (10 << 30, 128), (1 << 30, 51), (100 << 20, 16), (1 << 20, 16),
        ] as [(Int64?, Int64)]) func `a small volume keeps a share of itself free`(size: Int64?, mebibytes: Int64)
    {
        #expect(DiskReserve.standard(ofFileSystem: size) >> 20 == mebibytes)
    }

    @Test func `what the configuration names is kept free`() async {
        let disk = Disk(50 << 20)
        #expect(await disk.room.look().isShort)
        await disk.room.keep(40 << 20)
        #expect(await !disk.room.look().isShort)
        await disk.room.keep(nil)
        #expect(await disk.room.look().isShort)
    }

    @Test func `the log says once that reading stops and once that it goes on`() async {
        let disk = Disk(Self.reserve)
        for free in [Self.reserve, 5 << 20, 4 << 20, 3 << 20, 1 << 40, 1 << 40, 0] {
            disk.set(free)
            _ = await disk.room.look()
        }

        let begins = "error disk nearly full: no log is read; calls go on, and their results are recorded"
        #expect(disk.lines.all == [begins, "notice disk has room again: logs are read again", begins])
    }

    // MARK: - Polling

    @Test func `no log is asked for on a disk that is nearly full, and status can tell why`() async throws {
        let bench = try await Workbench()
        let disk = Disk(1 << 20)
        let transport = ScriptedTransport { _ async throws(TransportError) in .json(LogText.page([LogLine("t1")])) }
        let poller = bench.poller(transport, disk: disk.room)

        await #expect(throws: DiskShortage.self) { try await poller.runOnce(at: .noon) }
        #expect(await transport.requests.isEmpty)
        #expect(try bench.text("SELECT last_poll_error FROM endpoint")?.contains("1.0 MiB are free") == true)

        disk.set(nil)
        #expect(try await poller.runOnce(at: .noon).new == 1)
        #expect(try bench.text("SELECT last_poll_error FROM endpoint") == nil)
    }

    @Test func `a scan stops after the page that takes the last room, and goes on from there`() async throws {
        let bench = try await Workbench()
        let disk = Disk(1 << 40)
        let isFirst = Mutex(true)
        let transport = ScriptedTransport { request async throws(TransportError) in
            let page = request.url.split(separator: "=").last.flatMap { Int($0) } ?? 1
            if page == 2,
                isFirst.withLock({ isFirst in
                    defer { isFirst = false }
                    return isFirst
                })
            {
                disk.set(1 << 20)
            }
            let lines = (0..<10).map { LogLine("\(page).\($0)", at: .noon(-Double(page * 10 + $0) * 300)) }
            return .json(LogText.page(lines, next: page == 4 ? nil : "?page=\(page + 1)"))
        }
        let poller = bench.poller(transport, disk: disk.room)

        let summary = try await poller.runOnce(at: .noon)
        #expect(summary.pages == 2 && summary.isUnfinished)

        disk.set(1 << 40)
        bench.time.advance(by: .seconds(1))
        #expect(try await !poller.runOnce(at: bench.time.now).isUnfinished)
        #expect(try bench.tasks(.scheduled).count == 40)
    }

    /// The second delivery fails again and comes due while the disk is full.
    @Test func `calls go on and are recorded while no log is read, and all arrives when there is room`() async throws {
        let bench = try await Workbench()
        let provider = FakeProvider(time: bench.time, confirmation: .inPlace)
        for (task, failures) in [("t1", 0), ("t2", 1)] {
            await provider.fail(LogLine(task, at: .noon(-60)).with { $0.body = "\"\(task)\"" }, again: failures)
        }
        let disk = Disk(1 << 40)
        let daemon = try await VirtualDaemon(bench, .for(bench, endpoints: ["e1"]), provider, disk: disk.room)
        var full: Timestamp?
        var tasksAwaiting: [String] = []

        try await daemon.run { now in
            if full == nil, try bench.tasks(.delivered) == ["t1"], try bench.tasks(.scheduled) == ["t2"] {
                disk.set(1 << 20)
                full = now
            }
            if let full, now >= full + .seconds(300) {
                if tasksAwaiting.isEmpty { tasksAwaiting = try bench.tasks(.awaiting) }
                disk.set(1 << 40)
            }
            return try bench.tasks(.delivered).count == 2 || now > .noon(40_000)
        }

        #expect(tasksAwaiting == ["t2"])
        #expect(try bench.number("SELECT COUNT(*) FROM attempt WHERE answer = 'accepted'") == 3)
        #expect(try bench.tasks(.delivered) == ["t1", "t2"])
        #expect(await provider.received.values.allSatisfy { $0.count == 1 })
        #expect(disk.lines.all.count == 2)
    }

    @Test(arguments: [
        (Int64(0), "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (12_345, "12 KiB"), (3_650_722_202, "3.4 GiB"),
        (5_497_558_138_880, "5.0 TiB"),
    ]) func `sizes have one unit`(bytes: Int64, text: String) {
        #expect(ByteText.of(bytes) == text)
    }
}
