import DeliveryQueue

@testable import DeliveryQueue
@testable import DeliveryWorker

/// A small snapshot with something in every family, and the whole page that it makes.
enum MetricsSample {
    static let worker = MetricsPage.Worker(
        version: "1.2.3", started: .noon(-3_600), lastTurns: ["poll": .noon(-1.5), "metrics": .noon],
        gate: GateStanding(reason: .credential, since: .noon(-60), rate: 1, isTrial: false), databaseSize: 40_960,
        walSize: 8_272, disk: nearlyFull, clockSkew: .milliseconds(-1_500))

    private static let nearlyFull: DiskReserve = {
        var reserve = DiskReserve()
        _ = reserve.see(1 << 20)
        return reserve
    }()

    static let snapshot = QueueSnapshot(
        eventTypes: ["a"],
        counts: [
            count(Counter.logEntries, "failure", value: 4), count(Counter.finalized, "a", "delivered", value: 2),
            count(Counter.retryRequests, "accepted", value: 3), count(Counter.unconfirmed, value: 1),
            count(Counter.requestDuration, "0.1", value: 2), count(Counter.requestDuration, "+Inf", value: 1),
            count(Counter.requestDuration, Histogram.sum, value: 31_150),
            count(Counter.recoveryDuration, "60", value: 2), count(Counter.trials, "e3", "failed", value: 7),
            count(Counter.superseded, "a", "skip", value: 2),
            count(Counter.recoveryDuration, Histogram.sum, value: 80_500),
        ],
        open: [.init(eventType: "a", scheduled: 3, attempting: 0, awaiting: 0, oldestFailure: .noon(-90))],
        dead: [.init(eventType: "other", reason: .age, count: 1)],
        endpoints: [
            .init(
                id: "e1", name: "core", isActive: true, watermark: nil, lastPoll: .noon(-7), lastPollError: nil,
                gap: .seconds(1_800), behindGap: 2, unreadSince: .noon(-60), behindLook: 1, holdReason: .logSilent,
                heldBecause: .logSilent, heldSince: .noon,
                circuit: .closed, open: 3,
                scheduled: 2),
            .init(
                id: "e2", name: "gone", isActive: false, watermark: nil, lastPoll: nil, lastPollError: nil, gap: .zero,
                holdReason: nil, heldBecause: .notConfigured, heldSince: nil, circuit: .closed, open: 0, scheduled: 0),
            .init(
                id: "e3", name: "crm", isActive: true, watermark: nil, lastPoll: .noon(-9), lastPollError: nil,
                gap: .zero, holdReason: nil, heldBecause: .circuit, heldSince: .noon(-300),
                circuit: .open(since: .noon(-300), nextTrial: .noon(20)), open: 5, scheduled: 4),
        ],
        lastBackup: .noon(-86_400), oldestDue: .noon(-30), nextAttempt: .noon(-30), unreadable: 2,
        inProgress: 1)

    private static func count(_ name: String, _ label1: String = "", _ label2: String = "", value: Int64)
        -> QueueSnapshot.Count
    {
        .init(name: name, label1: label1, label2: label2, value: value)
    }

    static let page = """
        # HELP redeliver_build_info Always 1; the labels say what runs.
        # TYPE redeliver_build_info gauge
        redeliver_build_info{version="1.2.3"} 1
        # HELP redeliver_start_time_seconds When the worker started.
        # TYPE redeliver_start_time_seconds gauge
        redeliver_start_time_seconds 1749985200
        # HELP redeliver_textfile_written_timestamp_seconds When this file was written.
        # TYPE redeliver_textfile_written_timestamp_seconds gauge
        redeliver_textfile_written_timestamp_seconds 1749988800
        # HELP redeliver_last_loop_timestamp_seconds When each loop last completed a turn; 0: not since the start.
        # TYPE redeliver_last_loop_timestamp_seconds gauge
        redeliver_last_loop_timestamp_seconds{loop="poll"} 1749988798.5
        redeliver_last_loop_timestamp_seconds{loop="dispatch"} 0
        redeliver_last_loop_timestamp_seconds{loop="settle"} 0
        redeliver_last_loop_timestamp_seconds{loop="prune"} 0
        redeliver_last_loop_timestamp_seconds{loop="credential"} 0
        redeliver_last_loop_timestamp_seconds{loop="metrics"} 1749988800
        redeliver_last_loop_timestamp_seconds{loop="operators"} 0
        # HELP redeliver_auth_ok 0 while the provider refuses the credential.
        # TYPE redeliver_auth_ok gauge
        redeliver_auth_ok 0
        # HELP redeliver_clock_skew_seconds How far this machine's clock is ahead of the provider's; 0: they agree, or the provider tells no time.
        # TYPE redeliver_clock_skew_seconds gauge
        redeliver_clock_skew_seconds -1.5
        # HELP redeliver_database_size_bytes Size of the database's files.
        # TYPE redeliver_database_size_bytes gauge
        redeliver_database_size_bytes{file="main"} 40960
        redeliver_database_size_bytes{file="wal"} 8272
        # HELP redeliver_disk_free_bytes Free bytes on the database's file system; NaN: unknown.
        # TYPE redeliver_disk_free_bytes gauge
        redeliver_disk_free_bytes 1048576
        # HELP redeliver_disk_reserve_bytes Below so many free bytes no log is read.
        # TYPE redeliver_disk_reserve_bytes gauge
        redeliver_disk_reserve_bytes 134217728
        # HELP redeliver_polling_paused 1 while no log is read, by reason.
        # TYPE redeliver_polling_paused gauge
        redeliver_polling_paused{reason="disk"} 1
        # HELP redeliver_last_backup_timestamp_seconds When `redeliver database backup` last made a copy; 0: never.
        # TYPE redeliver_last_backup_timestamp_seconds gauge
        redeliver_last_backup_timestamp_seconds 1749902400
        # HELP redeliver_last_poll_success_timestamp_seconds When the endpoint's log was last read; 0: never.
        # TYPE redeliver_last_poll_success_timestamp_seconds gauge
        redeliver_last_poll_success_timestamp_seconds{endpoint="core"} 1749988793
        redeliver_last_poll_success_timestamp_seconds{endpoint="crm"} 1749988791
        # HELP redeliver_scan_gap_seconds Length of the endpoint's log that is not read yet.
        # TYPE redeliver_scan_gap_seconds gauge
        redeliver_scan_gap_seconds{endpoint="core"} 1800
        redeliver_scan_gap_seconds{endpoint="crm"} 0
        # HELP redeliver_deliveries_behind_gap Deliveries that are not called before an unread part of the log is read, or the log is looked at.
        # TYPE redeliver_deliveries_behind_gap gauge
        redeliver_deliveries_behind_gap{endpoint="core"} 3
        redeliver_deliveries_behind_gap{endpoint="crm"} 0
        # HELP redeliver_log_requests_total Requests for pages of the provider's logs, failed ones as well, by purpose.
        # TYPE redeliver_log_requests_total counter
        redeliver_log_requests_total{purpose="look"} 0
        redeliver_log_requests_total{purpose="confirm"} 0
        redeliver_log_requests_total{purpose="new"} 0
        redeliver_log_requests_total{purpose="again"} 0
        redeliver_log_requests_total{purpose="gap"} 0
        # HELP redeliver_endpoint_held 1 while the endpoint's deliveries are held, by reason.
        # TYPE redeliver_endpoint_held gauge
        redeliver_endpoint_held{endpoint="core",reason="log_silent"} 1
        redeliver_endpoint_held{endpoint="core",reason="rejected"} 0
        redeliver_endpoint_held{endpoint="core",reason="forbidden"} 0
        redeliver_endpoint_held{endpoint="core",reason="redirected"} 0
        redeliver_endpoint_held{endpoint="core",reason="client_refused"} 0
        redeliver_endpoint_held{endpoint="core",reason="body_form"} 0
        redeliver_endpoint_held{endpoint="core",reason="operator"} 0
        redeliver_endpoint_held{endpoint="crm",reason="log_silent"} 0
        redeliver_endpoint_held{endpoint="crm",reason="rejected"} 0
        redeliver_endpoint_held{endpoint="crm",reason="forbidden"} 0
        redeliver_endpoint_held{endpoint="crm",reason="redirected"} 0
        redeliver_endpoint_held{endpoint="crm",reason="client_refused"} 0
        redeliver_endpoint_held{endpoint="crm",reason="body_form"} 0
        redeliver_endpoint_held{endpoint="crm",reason="operator"} 0
        # HELP redeliver_log_entries_total Entries of the provider's logs, by result.
        # TYPE redeliver_log_entries_total counter
        redeliver_log_entries_total{result="failure"} 4
        redeliver_log_entries_total{result="success"} 0
        redeliver_log_entries_total{result="in_progress"} 0
        redeliver_log_entries_total{result="duplicate"} 0
        redeliver_log_entries_total{result="unreadable"} 0
        # HELP redeliver_unreadable_entries Log entries that are kept because they cannot be read.
        # TYPE redeliver_unreadable_entries gauge
        redeliver_unreadable_entries 2
        # HELP redeliver_log_entries_in_progress Log entries that have said for more than a day that the provider is still trying.
        # TYPE redeliver_log_entries_in_progress gauge
        redeliver_log_entries_in_progress 1
        # HELP redeliver_circuit_open 1 while no calls are made except trials, by scope.
        # TYPE redeliver_circuit_open gauge
        redeliver_circuit_open{scope="provider",endpoint=""} 0
        redeliver_circuit_open{scope="auth",endpoint=""} 1
        redeliver_circuit_open{scope="endpoint",endpoint="core"} 0
        redeliver_circuit_open{scope="operator",endpoint="core"} 0
        redeliver_circuit_open{scope="log_silent",endpoint="core"} 1
        redeliver_circuit_open{scope="endpoint",endpoint="crm"} 1
        redeliver_circuit_open{scope="operator",endpoint="crm"} 0
        redeliver_circuit_open{scope="log_silent",endpoint="crm"} 0
        # HELP redeliver_trials_total Trials while an endpoint's circuit was open, by outcome.
        # TYPE redeliver_trials_total counter
        redeliver_trials_total{endpoint="core",outcome="delivered"} 0
        redeliver_trials_total{endpoint="core",outcome="failed"} 0
        redeliver_trials_total{endpoint="core",outcome="unconfirmed"} 0
        redeliver_trials_total{endpoint="core",outcome="not_executed"} 0
        redeliver_trials_total{endpoint="core",outcome="refused"} 0
        redeliver_trials_total{endpoint="crm",outcome="delivered"} 0
        redeliver_trials_total{endpoint="crm",outcome="failed"} 7
        redeliver_trials_total{endpoint="crm",outcome="unconfirmed"} 0
        redeliver_trials_total{endpoint="crm",outcome="not_executed"} 0
        redeliver_trials_total{endpoint="crm",outcome="refused"} 0
        # HELP redeliver_deliveries_held Scheduled deliveries of held endpoints.
        # TYPE redeliver_deliveries_held gauge
        redeliver_deliveries_held{endpoint="core"} 2
        redeliver_deliveries_held{endpoint="crm"} 4
        # HELP redeliver_throttled_until_timestamp_seconds Until when the provider wants no calls; 0: it accepts calls.
        # TYPE redeliver_throttled_until_timestamp_seconds gauge
        redeliver_throttled_until_timestamp_seconds 0
        # HELP redeliver_superseded_total Due deliveries that a newer event superseded, by action.
        # TYPE redeliver_superseded_total counter
        redeliver_superseded_total{event_type="a",action="retry"} 0
        redeliver_superseded_total{event_type="a",action="skip"} 2
        redeliver_superseded_total{event_type="other",action="retry"} 0
        redeliver_superseded_total{event_type="other",action="skip"} 0
        # HELP redeliver_deliveries Deliveries that are neither delivered nor dead.
        # TYPE redeliver_deliveries gauge
        redeliver_deliveries{event_type="a",state="scheduled"} 3
        redeliver_deliveries{event_type="a",state="attempting"} 0
        redeliver_deliveries{event_type="a",state="awaiting"} 0
        redeliver_deliveries{event_type="other",state="scheduled"} 0
        redeliver_deliveries{event_type="other",state="attempting"} 0
        redeliver_deliveries{event_type="other",state="awaiting"} 0
        # HELP redeliver_deliveries_dead Deliveries that were given up and not requeued.
        # TYPE redeliver_deliveries_dead gauge
        redeliver_deliveries_dead{event_type="a",reason="attempts"} 0
        redeliver_deliveries_dead{event_type="a",reason="age"} 0
        redeliver_deliveries_dead{event_type="a",reason="rejected"} 0
        redeliver_deliveries_dead{event_type="a",reason="superseded"} 0
        redeliver_deliveries_dead{event_type="a",reason="discarded"} 0
        redeliver_deliveries_dead{event_type="a",reason="poison"} 0
        redeliver_deliveries_dead{event_type="other",reason="attempts"} 0
        redeliver_deliveries_dead{event_type="other",reason="age"} 1
        redeliver_deliveries_dead{event_type="other",reason="rejected"} 0
        redeliver_deliveries_dead{event_type="other",reason="superseded"} 0
        redeliver_deliveries_dead{event_type="other",reason="discarded"} 0
        redeliver_deliveries_dead{event_type="other",reason="poison"} 0
        # HELP redeliver_deliveries_finalized_total Deliveries that ended, by event type and outcome.
        # TYPE redeliver_deliveries_finalized_total counter
        redeliver_deliveries_finalized_total{event_type="a",outcome="delivered"} 2
        redeliver_deliveries_finalized_total{event_type="a",outcome="dead"} 0
        redeliver_deliveries_finalized_total{event_type="other",outcome="delivered"} 0
        redeliver_deliveries_finalized_total{event_type="other",outcome="dead"} 0
        # HELP redeliver_oldest_undelivered_timestamp_seconds First failure of the oldest open delivery; 0: none.
        # TYPE redeliver_oldest_undelivered_timestamp_seconds gauge
        redeliver_oldest_undelivered_timestamp_seconds{event_type="a"} 1749988710
        redeliver_oldest_undelivered_timestamp_seconds{event_type="other"} 0
        # HELP redeliver_oldest_due_timestamp_seconds Since when the oldest due delivery has been due; 0: \
        nothing is due.
        # TYPE redeliver_oldest_due_timestamp_seconds gauge
        redeliver_oldest_due_timestamp_seconds 1749988770
        # HELP redeliver_recovery_duration_seconds From the first failure to the proven delivery.
        # TYPE redeliver_recovery_duration_seconds histogram
        redeliver_recovery_duration_seconds_bucket{le="15"} 0
        redeliver_recovery_duration_seconds_bucket{le="60"} 2
        redeliver_recovery_duration_seconds_bucket{le="300"} 2
        redeliver_recovery_duration_seconds_bucket{le="900"} 2
        redeliver_recovery_duration_seconds_bucket{le="1800"} 2
        redeliver_recovery_duration_seconds_bucket{le="3600"} 2
        redeliver_recovery_duration_seconds_bucket{le="7200"} 2
        redeliver_recovery_duration_seconds_bucket{le="21600"} 2
        redeliver_recovery_duration_seconds_bucket{le="43200"} 2
        redeliver_recovery_duration_seconds_bucket{le="86400"} 2
        redeliver_recovery_duration_seconds_bucket{le="172800"} 2
        redeliver_recovery_duration_seconds_bucket{le="259200"} 2
        redeliver_recovery_duration_seconds_bucket{le="+Inf"} 2
        redeliver_recovery_duration_seconds_sum 80.5
        redeliver_recovery_duration_seconds_count 2
        # HELP redeliver_retry_requests_total Retry calls, by the provider's answer.
        # TYPE redeliver_retry_requests_total counter
        redeliver_retry_requests_total{answer="accepted"} 3
        redeliver_retry_requests_total{answer="uncertain"} 0
        redeliver_retry_requests_total{answer="throttled"} 0
        redeliver_retry_requests_total{answer="unavailable"} 0
        redeliver_retry_requests_total{answer="unreachable"} 0
        redeliver_retry_requests_total{answer="unauthorized"} 0
        redeliver_retry_requests_total{answer="forbidden"} 0
        redeliver_retry_requests_total{answer="delivery_forbidden"} 0
        redeliver_retry_requests_total{answer="not_found"} 0
        redeliver_retry_requests_total{answer="rejected"} 0
        redeliver_retry_requests_total{answer="redirected"} 0
        redeliver_retry_requests_total{answer="client_refused"} 0
        redeliver_retry_requests_total{answer="body_form"} 0
        redeliver_retry_requests_total{answer="moved"} 0
        redeliver_retry_requests_total{answer="server_error"} 0
        redeliver_retry_requests_total{answer="late"} 0
        # HELP redeliver_unconfirmed_total Retry calls that the log never showed; each may lead to a repeat.
        # TYPE redeliver_unconfirmed_total counter
        redeliver_unconfirmed_total 1
        # HELP redeliver_retry_request_duration_seconds Duration of retry calls.
        # TYPE redeliver_retry_request_duration_seconds histogram
        redeliver_retry_request_duration_seconds_bucket{le="0.025"} 0
        redeliver_retry_request_duration_seconds_bucket{le="0.05"} 0
        redeliver_retry_request_duration_seconds_bucket{le="0.1"} 2
        redeliver_retry_request_duration_seconds_bucket{le="0.25"} 2
        redeliver_retry_request_duration_seconds_bucket{le="0.5"} 2
        redeliver_retry_request_duration_seconds_bucket{le="1"} 2
        redeliver_retry_request_duration_seconds_bucket{le="2.5"} 2
        redeliver_retry_request_duration_seconds_bucket{le="5"} 2
        redeliver_retry_request_duration_seconds_bucket{le="10"} 2
        redeliver_retry_request_duration_seconds_bucket{le="30"} 2
        redeliver_retry_request_duration_seconds_bucket{le="+Inf"} 3
        redeliver_retry_request_duration_seconds_sum 31.15
        redeliver_retry_request_duration_seconds_count 3

        """
}
