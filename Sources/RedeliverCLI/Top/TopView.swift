import DeliveryQueue

/// What `redeliver top` knows at one moment: the last reading that succeeded, and what went wrong since.
struct TopView {
    let database: String
    private(set) var report: StatusReport
    private(set) var activity: QueueActivity
    private(set) var rate = CallPace()
    /// When the last reading was tried.
    private(set) var now: Timestamp
    /// Why it failed, and `report` and `activity` are old; nil: it did not.
    private(set) var error: String?

    /// More than any screen has lines for.
    private static let failures = 100

    init(database: String, report: StatusReport, activity: QueueActivity, at now: Timestamp) {
        (self.database, self.report, self.activity, self.now) = (database, report, activity, now)
        rate.note(report.retryCalls, at: now)
    }

    /// - Throws: `StoreError` when there is no such database, or it cannot be read: most likely a wrong path.
    init(database: String, at now: Timestamp) throws {
        let (report, activity) = try Self.read(database, at: now)
        self.init(database: database, report: report, activity: activity, at: now)
    }

    /// Reads again. A database that is gone may come back: the error is kept beside what was read last.
    mutating func refresh(at now: Timestamp) {
        do {
            let (report, activity) = try Self.read(database, at: now)
            show(report, activity, at: now)
        } catch {
            fail("\(error)", at: now)
        }
    }

    mutating func show(_ report: StatusReport, _ activity: QueueActivity, at now: Timestamp) {
        (self.report, self.activity, self.now, error) = (report, activity, now, nil)
        rate.note(report.retryCalls, at: now)
    }

    mutating func fail(_ error: String, at now: Timestamp) {
        (self.error, self.now) = (error, now)
    }

    /// Opened anew each time: what is read is the file that has this name now, not one that was moved away.
    private static func read(_ database: String, at now: Timestamp) throws -> (StatusReport, QueueActivity) {
        let reader = try QueueReader(path: database)
        defer { try? reader.close() }
        let report = StatusReport(try reader.snapshot(at: now), database: database, at: now)
        return (report, try reader.activity(failures: failures, at: now))
    }
}
