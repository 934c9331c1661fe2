import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite("Entries that cannot be understood")
struct UnreadableTests {
    private static func entry(
        _ name: String, _ raw: String = "x", length: Int? = nil, reason: String = "no_outcome"
    ) -> UnreadableObservation {
        UnreadableObservation(
            reason: reason, detail: "d", raw: Array(raw.utf8), length: length, identity: Array(name.utf8), logged: start
        )
    }

    @Test func `an entry is kept once for its identity, however its text changes`() async throws {
        let queue = try await QueueFixture()
        let first = try await queue.ingest(unreadable: [Self.entry("a", "?sig=1")], at: start)
        let second = try await queue.ingest(
            unreadable: [Self.entry("a", "?sig=2"), Self.entry("b")], at: start + .minutes(1))

        #expect(first.unreadable == 1)
        #expect(second.unreadable == 1 && second.duplicates == 1)
        #expect(try await queue.texts("SELECT CAST(raw AS TEXT) FROM unreadable_entry ORDER BY id") == ["?sig=1", "x"])
    }

    @Test func `what an entry says hours later takes the place of what it said, and it is kept for as long again`()
        async throws
    {
        let queue = try await QueueFixture()
        try await queue.ingest(unreadable: [Self.entry("a", "old")], at: start)
        let later = start + .hours(7)
        try await queue.ingest(unreadable: [Self.entry("a", "newer", reason: "bad_time")], at: later)

        #expect(
            try await queue.texts(
                "SELECT CAST(raw AS TEXT) || ' ' || raw_length || ' ' || reason || ' ' || seen_ms FROM unreadable_entry"
            )
                == ["newer 5 bad_time \(later.milliseconds)"])
    }

    @Test func `a cut entry keeps its true length and is not read again`() async throws {
        let queue = try await QueueFixture()
        try await queue.ingest(unreadable: [Self.entry("a", "start of", length: 1 << 24), Self.entry("b")], at: start)

        #expect(try await queue.number("SELECT MAX(raw_length) FROM unreadable_entry") == 1 << 24)
        #expect(try await queue.store.unreadableEntries(after: 0, limit: 9).map(\.raw) == [[UInt8(ascii: "x")]])
    }

    @Test func `ten thousand are kept for an endpoint, and that others are left out is told once a day`() async throws {
        let queue = try await QueueFixture()
        let many = (0..<QueueStore.unreadableLimit).map { Self.entry("\($0)") }
        let first = try await queue.ingest(unreadable: many, at: start)
        #expect(first.unreadable == QueueStore.unreadableLimit && !first.beganToLeaveOut)
        #expect(try await health(queue) == "no_outcome 10000")

        let more = [Self.entry("7"), Self.entry("other-1"), Self.entry("other-2")]
        let second = try await queue.ingest(.failure("t", at: start), unreadable: more, at: start + .hours(2))
        #expect(second.new == 1 && second.unreadable == 0 && second.duplicates == 1 && second.beganToLeaveOut)
        let third = try await queue.ingest(unreadable: more, at: start + .hours(4))
        #expect(!third.beganToLeaveOut)
        let other = try await queue.ingest(
            unreadable: more, endpoint: QueueFixture.other, at: start + .hours(4))
        #expect(other.unreadable == 3)
        let silent = try await queue.ingest(unreadable: more, at: start + .hours(50))
        #expect(silent.beganToLeaveOut)
        #expect(try await queue.number("SELECT COUNT(*) FROM unreadable_entry") == 10_003)
    }

    @Test func `what is kept has a limit in bytes too`() async throws {
        let queue = try await QueueFixture()
        try await queue.ingest(unreadable: [Self.entry("a", "12345"), Self.entry("b", "678")], at: start)
        let room = try await queue.change { try $0.room(of: QueueFixture.endpoint) }
        #expect(room.entries == 2 && room.bytes == 8 && !room.isFull)
        #expect(UnreadableRoom(entries: 64, bytes: QueueStore.unreadableBytes).isFull)
        #expect(!UnreadableRoom(entries: 64, bytes: QueueStore.unreadableBytes - 1).isFull)
    }

    @Test func `entries that the page itself left out are told too`() async throws {
        let queue = try await QueueFixture()
        let page = ObservedPage(
            endpointID: QueueFixture.endpoint, entries: [ObservedEntry](), leftOut: 3,
            progress: ScanProgress(started: start))
        #expect(try await queue.store.ingest(page, rules: queue.rules, at: start).beganToLeaveOut)
    }

    @Test func `v_health names the endpoints of which entries are left out for a day`() async throws {
        let queue = try await QueueFixture()
        try await queue.ingest(unreadable: [Self.entry("a")], at: start)
        try await queue.run("UPDATE endpoint SET left_out_ms = unixepoch() * 1000 - 3600000")
        #expect(try await health(queue) == "no_outcome 1; others are left out: first, second")
        try await queue.run("UPDATE endpoint SET left_out_ms = unixepoch() * 1000 - 90000000")
        #expect(try await health(queue) == "no_outcome 1")
    }

    @Test func `entries judged anew have new reasons, and two that are one by now become one`() async throws {
        let queue = try await QueueFixture()
        try await queue.ingest(unreadable: [Self.entry("raw-1"), Self.entry("raw-2"), Self.entry("raw-3")], at: start)
        let kept = try await queue.store.unreadableEntries(after: 0, limit: 9)
        let anew = kept.prefix(2).map { (kept: $0, anew: Self.entry("id 1", reason: "no_body")) }
        try await queue.store.judge(anew, at: start + .hours(1))

        #expect(try await queue.texts("SELECT reason FROM unreadable_entry ORDER BY id") == ["no_body", "no_outcome"])
        let again = try await queue.ingest(unreadable: [Self.entry("id 1")], at: start + .hours(1))
        #expect(again.duplicates == 1)
    }

    private func health(_ queue: QueueFixture) async throws -> String? {
        try await queue.text("SELECT detail FROM v_health WHERE check_name = 'entries_unreadable'")
    }
}
