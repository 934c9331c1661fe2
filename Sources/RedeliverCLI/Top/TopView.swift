import DeliveryQueue

/// The state of `redeliver top`: the last successful reading, and the error since.
struct TopView {
    let database: String
    private(set) var report: StatusReport
    private(set) var activity: QueueActivity
    private(set) var rate = CallPace()
    /// The time of the last reading, successful or not.
    private(set) var now: Timestamp
    /// Why the last reading failed, so that `report` and `activity` are old; nil when it succeeded.
    private(set) var error: String?

    /// More than any screen can show.
    private static let failures = 100

    init(database: String, report: StatusReport, activity: QueueActivity, at now: Timestamp) {
        (self.database, self.report, self.activity, self.now) = (database, report, activity, now)
        rate.note(report.retryCalls, at: now)
    }

    /// - Throws: `StoreError` when the database does not exist or cannot be read.
    init(database: String, at now: Timestamp) throws {
        let (report, activity) = try Self.read(database, at: now)
        self.init(database: database, report: report, activity: activity, at: now)
    }

    /// Reads again. After an error the last reading stays, because a missing database may come back.
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

    /// Opens the database each time, so that it reads the file that has this name now.
    private static func read(_ database: String, at now: Timestamp) throws -> (StatusReport, QueueActivity) {
        let reader = try QueueReader(path: database)
        defer { try? reader.close() }
        let report = StatusReport(try reader.snapshot(at: now), database: database, at: now)
        return (report, try reader.activity(failures: failures, at: now))
    }
}
