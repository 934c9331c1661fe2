import DeliveryQueue

/// The content of the metrics file. Pure: one snapshot gives one page, so tests compare whole pages.
///
/// Every combination of labels is written as 0 from the first page on, because `increase()` does not see a counter that
/// begins at 1 (prometheus#1673).
struct MetricsPage: Sendable {
    /// What the page says about the worker, beside the queue.
    struct Worker: Sendable {
        var version: String
        var started: Timestamp
        var lastTurns: [String: Timestamp]
        /// Whether calls may begin.
        var gate: GateStanding
        var databaseSize: Int64
        var walSize: Int64
        /// The file system that the database is on.
        var disk = DiskReserve()
        /// How far this machine's clock is ahead of the provider's; nil when the provider sends no time.
        var clockSkew: Duration?
    }

    let queue: QueueSnapshot
    let worker: Worker
    private let written: Timestamp
    var page = PrometheusText()

    static func text(queue: QueueSnapshot, worker: Worker, at written: Timestamp) -> String {
        var metrics = MetricsPage(queue: queue, worker: worker, written: written)
        metrics.writeWorker()
        metrics.writeFiles()
        metrics.writeLogs()
        metrics.writeCircuits()
        metrics.writeDeliveries()
        metrics.writeRetries()
        return metrics.page.text
    }

    // MARK: - Families

    private mutating func writeWorker() {
        page.family("redeliver_build_info", .gauge, help: "Always 1; the labels say what runs.")
        page.sample(["version": worker.version], 1)
        single("redeliver_start_time_seconds", .gauge, "When the worker started.", worker.started.inSeconds)
        single(
            "redeliver_textfile_written_timestamp_seconds", .gauge, "When this file was written.", written.inSeconds)
        page.family(
            "redeliver_last_loop_timestamp_seconds", .gauge,
            help: "When each loop last completed a turn; 0: not since the start.")
        for loop in LoopName.allCases {
            page.sample(["loop": loop.rawValue], worker.lastTurns[loop.rawValue]?.inSeconds ?? 0)
        }
        single(
            "redeliver_auth_ok", .gauge, "0 while the provider refuses the credential.",
            worker.gate.reason == .credential ? 0 : 1)
        single(
            "redeliver_clock_skew_seconds", .gauge,
            "How far this machine's clock is ahead of the provider's; 0: they agree, or the provider tells no time.",
            worker.clockSkew?.inSeconds ?? 0)
    }

    private mutating func writeFiles() {
        page.family("redeliver_database_size_bytes", .gauge, help: "Size of the database's files.")
        page.sample(["file": "main"], Double(worker.databaseSize))
        page.sample(["file": "wal"], Double(worker.walSize))
        single(
            "redeliver_disk_free_bytes", .gauge, "Free bytes on the database's file system; NaN: unknown.",
            worker.disk.free.map(Double.init) ?? .nan)
        single(
            "redeliver_disk_reserve_bytes", .gauge, "Below so many free bytes no log is read.",
            Double(worker.disk.bytes))
        page.family("redeliver_polling_paused", .gauge, help: "1 while no log is read, by reason.")
        page.sample(["reason": "disk"], worker.disk.isShort ? 1 : 0)
        single(
            "redeliver_last_backup_timestamp_seconds", .gauge,
            "When `redeliver database backup` last made a copy; 0: never.", queue.lastBackup?.inSeconds ?? 0)
    }

    private mutating func writeLogs() {
        let endpoints = queue.endpoints.filter(\.isActive)
        page.family(
            "redeliver_last_poll_success_timestamp_seconds", .gauge,
            help: "When the endpoint's log was last read; 0: never.")
        for endpoint in endpoints {
            page.sample(["endpoint": endpoint.name], endpoint.lastPoll?.inSeconds ?? 0)
        }
        page.family(
            "redeliver_scan_gap_seconds", .gauge, help: "Length of the endpoint's log that is not read yet.")
        for endpoint in endpoints {
            page.sample(["endpoint": endpoint.name], endpoint.gap.inSeconds)
        }
        page.family(
            "redeliver_deliveries_behind_gap", .gauge,
            help: "Deliveries that are not called before an unread part of the log is read, or the log is looked at.")
        for endpoint in endpoints {
            page.sample(["endpoint": endpoint.name], Double(endpoint.behindGap + endpoint.behindLook))
        }
        page.family(
            "redeliver_log_requests_total", .counter,
            help: "Requests for pages of the provider's logs, failed ones as well, by purpose.")
        for purpose in PagePurpose.allCases.map(\.rawValue) {
            page.sample(["purpose": purpose], Double(queue.count(Counter.logRequests, purpose)))
        }
        page.family("redeliver_endpoint_held", .gauge, help: "1 while the endpoint's deliveries are held, by reason.")
        for endpoint in endpoints {
            for reason in HoldReason.allCases {
                page.sample(
                    ["endpoint": endpoint.name, "reason": reason.rawValue],
                    endpoint.holdReason == reason ? 1 : 0)
            }
        }
        page.family("redeliver_log_entries_total", .counter, help: "Entries of the provider's logs, by result.")
        for result in Counter.logResults {
            page.sample(["result": result], Double(queue.count(Counter.logEntries, result)))
        }
        single(
            "redeliver_unreadable_entries", .gauge, "Log entries that are kept because they cannot be read.",
            Double(queue.unreadable))
        single(
            "redeliver_log_entries_in_progress", .gauge,
            "Log entries that have said for more than a day that the provider is still trying.",
            Double(queue.inProgress))
    }

    private mutating func writeDeliveries() {
        page.family("redeliver_deliveries", .gauge, help: "Deliveries that are neither delivered nor dead.")
        for type in eventTypes {
            let open = queue.open.first { $0.eventType == type }
            for (state, count) in [
                (DeliveryState.scheduled, open?.scheduled), (.attempting, open?.attempting),
                (.awaiting, open?.awaiting),
            ] {
                page.sample(["event_type": type, "state": state.rawValue], Double(count ?? 0))
            }
        }
        page.family("redeliver_deliveries_dead", .gauge, help: "Deliveries that were given up and not requeued.")
        for type in eventTypes {
            for reason in DeadReason.allCases {
                let dead = queue.dead.first { $0.eventType == type && $0.reason == reason }
                page.sample(["event_type": type, "reason": reason.rawValue], Double(dead?.count ?? 0))
            }
        }
        page.family(
            "redeliver_deliveries_finalized_total", .counter, help: "Deliveries that ended, by event type and outcome.")
        for type in eventTypes {
            for outcome in Counter.finalOutcomes {
                page.sample(
                    ["event_type": type, "outcome": outcome],
                    Double(queue.count(Counter.finalized, type, outcome)))
            }
        }
        page.family(
            "redeliver_oldest_undelivered_timestamp_seconds", .gauge,
            help: "First failure of the oldest open delivery; 0: none.")
        for type in eventTypes {
            let open = queue.open.first { $0.eventType == type }
            page.sample(["event_type": type], open?.oldestFailure.inSeconds ?? 0)
        }
        single(
            "redeliver_oldest_due_timestamp_seconds", .gauge,
            "Since when the oldest due delivery has been due; 0: nothing is due.", queue.oldestDue?.inSeconds ?? 0)
        histogram(
            "redeliver_recovery_duration_seconds", "From the first failure to the proven delivery.",
            Counter.recoveryDuration, Histogram.recoveryBounds)
    }

    private mutating func writeRetries() {
        page.family("redeliver_retry_requests_total", .counter, help: "Retry calls, by the provider's answer.")
        for answer in Answer.allCases.map(\.rawValue) {
            page.sample(
                ["answer": answer], Double(queue.count(Counter.retryRequests, answer))
            )
        }
        single(
            "redeliver_unconfirmed_total", .counter,
            "Retry calls that the log never showed; each may lead to a repeat.",
            Double(queue.count(Counter.unconfirmed)))
        histogram(
            "redeliver_retry_request_duration_seconds", "Duration of retry calls.", Counter.requestDuration,
            Histogram.requestBounds)
    }

    // MARK: - Shapes

    /// Always ends with `other`, so that its series exists before the 33rd event type comes.
    var eventTypes: [String] {
        queue.eventTypes.filter { $0 != EventTypeLabels.other } + [EventTypeLabels.other]
    }

    mutating func single(_ name: String, _ kind: PrometheusText.Kind, _ help: String, _ value: Double) {
        page.family(name, kind, help: help)
        page.sample([:], value)
    }

    private mutating func histogram(_ name: String, _ help: String, _ counter: String, _ bounds: [Double]) {
        page.family(name, .histogram, help: help)
        var sum: Int64 = 0
        for label in bounds.map(Histogram.label) + ["+Inf"] {
            sum += queue.count(counter, label)
            page.sample(["le": label], Double(sum), suffix: "_bucket")
        }
        page.sample([:], Double(queue.count(counter, Histogram.sum)) / 1_000, suffix: "_sum")
        page.sample([:], Double(sum), suffix: "_count")
    }
}

extension Timestamp {
    /// Unix seconds, as Prometheus writes times.
    fileprivate var inSeconds: Double { Double(milliseconds) / 1_000 }
}
