import Testing

@testable import DatabaseTools
@testable import DeliveryQueue
@testable import RedeliverCLI

/// What the commands about the database say, word for word.
@Suite struct DatabaseReportTests {
    private let now = Timestamp(milliseconds: 1_767_225_600_000)

    private func copy(newest: Duration? = .seconds(300)) -> CopyFacts {
        CopyFacts(
            bytes: 253_952, schemaVersion: 3, deliveries: 40, open: 17, newest: newest.map { now - $0 })
    }

    // MARK: - Backup

    @Test func `a backup tells where it is and what is in it`() {
        #expect(
            BackupReport(contents: copy(), file: "/b/x.db", now: now).text == """
                backup written and verified: /b/x.db
                  253952 bytes, schema 3, 40 deliveries, 17 of them open; newest change 2025-12-31T23:55:00Z (5 min ago)
                """)
        #expect(BackupReport(contents: copy(newest: nil), file: "x", now: now).text.hasSuffix("; no changes in it"))
    }

    @Test func `a backup's JSON is stable`() throws {
        #expect(
            try JSONOutput.text(BackupReport(contents: copy(), file: "/b/x.db", now: now)) == """
                {
                  "at" : 1767225600,
                  "contents" : {
                    "bytes" : 253952,
                    "deliveries" : 40,
                    "newest" : 1767225300,
                    "open" : 17,
                    "schema_version" : 3
                  },
                  "file" : "/b/x.db"
                }
                """)
    }

    // MARK: - Restore

    private func restore(
        isDone: Bool, keptAs: String? = nil, daemon: DaemonPresence = .absent, knowsCalls: Bool = true
    ) -> RestoreReport {
        var summary = RestoreSummary()
        (summary.calls, summary.newDeliveries, summary.delivered, summary.awaiting) = (29, 2, 15, 4)
        summary.knowsCalls = knowsCalls
        return RestoreReport(
            report: DatabaseRestore.Report(backup: copy(), summary: summary, keptAs: keptAs), file: "x.db",
            database: "/d/redeliver.db", daemon: daemon, isDone: isDone, now: now)
    }

    @Test func `a restore tells what it did and where the old database is`() {
        #expect(
            restore(isDone: true, keptAs: "/d/redeliver.db.before-restore-20260101T000000Z").text == """
                restored: /d/redeliver.db from x.db
                  253952 bytes, schema 3, 40 deliveries, 17 of them open; newest change 2025-12-31T23:55:00Z (5 min ago)
                  since the backup: 29 retry calls, 15 deliveries proven delivered, 2 new deliveries taken over
                  4 deliveries wait for the provider's log before they are sent again
                  the replaced database is kept as /d/redeliver.db.before-restore-20260101T000000Z
                start the daemon now
                """)
        #expect(restore(isDone: true).text.contains("\n  there was no database to keep\n"))
    }

    @Test func `a rehearsal says that nothing was changed and what is to be done first`() {
        #expect(
            restore(isDone: false, daemon: .running(process: 7), knowsCalls: false).text == """
                would restore: /d/redeliver.db from x.db
                  253952 bytes, schema 3, 40 deliveries, 17 of them open; newest change 2025-12-31T23:55:00Z (5 min ago)
                  the present database cannot be read, so every scheduled delivery counts as called since the backup
                  4 deliveries wait for the provider's log before they are sent again
                  a present database would be kept beside it
                nothing was changed; stop the daemon (process 7) first, then give --confirm
                """)
        #expect(restore(isDone: false).text.hasSuffix("\nnothing was changed; give --confirm to restore"))
    }

    // MARK: - Prune

    private var pruned: PruneSummary {
        var summary = PruneSummary()
        (summary.bodies, summary.delivered, summary.dead) = (1, 22, 333)
        (summary.logEntries, summary.arrivals, summary.unreadable) = (4, 5, 6)
        return summary
    }

    @Test func `a rehearsal of pruning counts and tells how to do it`() {
        #expect(
            PruneReport(summary: pruned, freeBytes: 4_096, isDone: false, database: "/d/x.db", now: now).text == """
                WOULD GO                        ROWS  AFTER
                bodies of delivered deliveries  1     7 d
                delivered deliveries            22    90 d
                dead deliveries                 333   180 d
                log entries of no delivery      4     24 h
                newest arrivals remembered      5     14 d
                unreadable log entries          6     90 d

                4096 bytes are free inside /d/x.db
                nothing was changed; give --confirm to remove the rows
                """)
    }

    @Test func `pruning tells what it removed`() {
        let text = PruneReport(summary: pruned, freeBytes: 0, isDone: true, database: "/d/x.db", now: now).text
        #expect(text.hasPrefix("REMOVED                         ROWS  AFTER\nbodies"))
        #expect(text.hasSuffix("\n0 bytes are free inside /d/x.db"))
    }

    // MARK: - Check

    @Test func `a sound database is a table and one line`() {
        let parts = [CheckPart(.structure), CheckPart(.bodies, examined: 40)]
        #expect(
            CheckReport(parts: parts, database: "/d/x.db", now: now).text(on: .plain) == """
                PART       EXAMINED  FAULTS
                structure  -         0
                bodies     40        0

                /d/x.db: sound
                """)
    }

    @Test func `faults are listed with what is to be done, and many are cut`() {
        let faults = (1...25).map { "the body of delivery \($0) does not match its SHA-256" }
        let report = CheckReport(
            parts: [CheckPart(.bodies, examined: 40, faults: faults)], database: "/d/x.db", now: now)
        let text = report.text(on: .plain)

        #expect(!report.sound)
        #expect(
            text.hasPrefix(
                """
                PART    EXAMINED  FAULTS
                bodies  40        25

                bodies:
                  the body of delivery 1 does not match its SHA-256
                """))
        #expect(
            text.hasSuffix(
                """
                  the body of delivery 20 does not match its SHA-256
                  … and 5 more
                  to do: a damaged body is never sent, and its delivery dies as rejected; restore a backup from before the damage

                /d/x.db: not sound
                """))
    }

    @Test(arguments: CheckPart.Name.allCases) func `every kind of fault comes with something to do`(
        name: CheckPart.Name
    )
        throws
    {
        let report = CheckReport(parts: [CheckPart(name, faults: ["x"])], database: "d", now: now)
        #expect(report.parts[0].advice?.isEmpty == false)
        let json = try JSONOutput.text(report)
        #expect(json.contains("\"fault_count\" : 1") && json.contains("\"sound\" : false"))
    }
}
