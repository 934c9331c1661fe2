import DeliveryQueue
import ProviderAPI

/// Every key of the configuration: name, allowed values, default and effect. The checks, the environment variables and
/// the table in docs/configuration.md all use this list.
enum ConfigurationKeys {
    static let all: [Setting] = [
        provider,
        Setting(
            "endpoints", .list(endpoint, count: 1...1_000), .required, "The webhook endpoints whose logs are read."),
        Setting(
            "database", .text(.path), .required,
            "The SQLite file; created at the first start. A relative path starts at the configuration file's folder."),
        disk,
        metrics,
        poll,
        confirm,
        retry,
        circuit,
        Setting(
            "policies", .list(policy, count: 0...1_000), .absent("the built-in policy"),
            "When deliveries are retried, per event type: exact name, then longest pattern, then the built-in policy."),
    ]

    private static let provider = Setting.section(
        "provider",
        [
            Setting(
                "base_url", .text(.url), .required,
                "The provider's address, without query and user; `https`, or `http` on the machine itself. A path in it stands "
                    + "before every request's, also where a link of the log lacks it."),
            Setting(
                "allow_insecure_http", .flag, .value("false"),
                "Allows `http` to other machines: the token travels unprotected."),
            auth,
            Setting(
                "ca_file", .text(.path), .absent("none"),
                "A PEM file with issuers that are trusted in addition to the system's. This file and the next ones are read at "
                    + "the start and at a reload."),
            Setting(
                "proxy", .text(.url), .absent("none"),
                "An HTTP proxy on the way to the provider, such as `http://proxy.example.com:3128`."),
            Setting(
                "proxy_credentials_file", .text(.secretPath), .absent("none"),
                "A file that holds `user:password` for the proxy."),
            Setting(
                "client_certificate", .text(.path), .absent("none"),
                "A PEM file with our certificate and its chain, for a provider that asks for one (mutual TLS)."),
            Setting(
                "client_key", .text(.secretPath), .absent("none"),
                "A PEM file with its private key, without a passphrase; together with `client_certificate`."),
            Setting(
                "request_timeout", .duration(.seconds(1) ... .minutes(10)), .value("30s"),
                "Deadline of one call, body included; also how long a graceful stop may take."),
            .section("log_fields", logFields),
        ])

    private static let auth = Setting.section(
        "auth", holdsSecrets: true,
        [
            Setting("token", .text(.token), .absent("one form is required"), "The user token itself."),
            Setting(
                "token_file", .text(.secretPath), .absent("one form is required"),
                "A file that holds the token; read again for each request."),
            Setting(
                "token_env", .text(.variable), .absent("one form is required"),
                "The name of the environment variable that holds the token."),
            Setting(
                "username", .text(.username), .absent("one form is required"),
                "Logs in and refreshes by itself; together with exactly one of the next three."),
            Setting("password", .text(.password), .absent("none"), "The password itself."),
            Setting(
                "password_file", .text(.secretPath), .absent("none"),
                "A file that holds the password; read again for each login."),
            Setting(
                "password_env", .text(.variable), .absent("none"),
                "The name of the environment variable that holds the password."),
        ])

    /// The keys of `provider.log_fields`, and the names that each of them replaces.
    static var fields: [(name: String, names: WritableKeyPath<FieldNames, [String]>, effect: String)] {
        [
            (
                "task_id", \.taskID,
                "Names of the task id in a log entry; the first one present counts (also for all keys below)."
            ),
            ("event_type", \.eventType, "Names of the event type."),
            ("customer_id", \.customerID, "Names of the customer id."),
            ("webhook_id", \.webhookID, "Names of the webhook id."),
            ("body", \.body, "Names of the body that was delivered."),
            ("outcome", \.outcome, "Names of the outcome: a word, a boolean or a status code."),
            ("time", \.time, "Names of the time of the delivery."),
            ("error", \.error, "Names of the error text."),
            ("entries", \.entries, "Names of the list of entries in a page that is an object."),
            ("next", \.next, "Names of the next page's address; a dot leads into an object."),
        ]
    }

    private static let logFields =
        fields.map { field in
            let standard = FieldNames.standard[keyPath: field.names].joined(separator: ", ")
            return Setting(field.name, .texts(.field, count: 1...20), .absent("[\(standard)]"), field.effect)
        } + [
            Setting(
                "time_zone", .text(.timeZone), .value("UTC"),
                "The zone of log times that name none, such as `2026-03-01 09:30:00`.")
        ]

    private static let endpoint = [
        Setting("id", .text(.id), .required, "The provider's id of the endpoint."),
        Setting("name", .text(.name), .absent("the id"), "For people and metrics; letters, digits and `. _ -`."),
        Setting("webhook_id", .text(.id), .absent("the id"), "Sent with a retry when the log entry has none."),
    ]

    private static let disk = Setting.section(
        "disk",
        [
            Setting(
                "reserve_mib", .integer(1...1_048_576), .absent("a twentieth of the disk, from 16 to 128"),
                "No log is read while less is free on the database's disk: it is kept for the results of calls.",
                unit: "MiB")
        ])

    private static let metrics = Setting.section(
        "metrics",
        [
            Setting(
                "textfile", .text(.path), .absent("redeliver.prom beside the database"),
                "The file for node_exporter's textfile collector; ends in `.prom`."),
            Setting(
                "interval", .duration(.seconds(1) ... .hours(1)), .value("15s"), "How often the file is written."),
            Setting(
                "listen", .text(.listen), .absent("none"),
                "An address at which the file's text is served over HTTP as `/metrics`, with `/healthz` and `/readyz`, such as "
                    + "`127.0.0.1:9464`."),
        ])

    private static let poll = Setting.section(
        "poll",
        [
            Setting(
                "interval", .duration(.milliseconds(250) ... .days(1)), .value("60s"),
                "How often an endpoint's log is read; with an overlap at least every 5 m."),
            Setting(
                "overlap", .duration(.zero ... .days(7)), .value("15m"),
                "How far back the log is read again every 5 m, for entries that appear late."),
            Setting(
                "initial_lookback", .duration(.minutes(1) ... .days(90)), .value("72h"),
                "How far the first reading of an endpoint goes back."),
            Setting(
                "requests_per_minute", .integer(1...100_000), .absent("no limit"),
                "Pages of logs that are asked for a minute, over all endpoints together.", unit: "requests"),
        ])

    private static let confirm = Setting.section(
        "confirm",
        [
            Setting(
                "by", .word(RetryRules.Confirmation.allCases.map(\.rawValue)), .value("log"),
                "What proves a retry: a success in the log, or the retry call's 2xx `answer`."),
            Setting(
                "interval", .duration(.milliseconds(250) ... .hours(1)), .value("15s"),
                "How often an endpoint's log is read while a retry of its waits for proof."),
            Setting(
                "within", .duration(.seconds(1) ... .days(7)), .value("10m"),
                "A retry counts as failed when the log does not show it within this time; at least `confirm.interval`."),
        ])

    private static let retry = Setting.section(
        "retry",
        [
            Setting("concurrency", .integer(1...256), .value("16"), "Retry calls in flight at once.", unit: "calls"),
            Setting(
                "per_second", .number(0.01...10_000), .value("10"),
                "Retry calls per second in the long run; fractions are allowed.", unit: "calls/s"),
            Setting(
                "burst", .integer(1...10_000), .value("20"), "Retry calls that may begin at once after a rest.",
                unit: "calls"),
            Setting(
                "fresh_within", .duration(.seconds(1) ... .minutes(5)), .value("5s"),
                "A call begins only so long after its endpoint's log was read; longer where reading it takes long."),
            Setting(
                "body", .word(RetryRequest.BodyForm.allCases.map(\.rawValue)), .value("json"),
                "How a call sends the body: as the log's JSON value, or as one JSON string that holds its `text`."),
        ])

    private static let circuit = Setting.section(
        "circuit",
        [
            Setting(
                "enabled", .flag, .value("true"),
                "Holds an endpoint's deliveries while its receiver fails for all of them, and tries one at a time."),
            Setting(
                "open_after", .integer(1...100), .value("5"),
                "This many different deliveries that fail in a row, without an arrival between them, open the circuit.",
                unit: "deliveries"),
            Setting(
                "trial_delays", .durations(.milliseconds(100) ... .days(1), count: 1...100),
                .absent("[30s, 1m, 2m, 4m, 5m]"),
                "Waits before the first, second, … trial while the circuit is open; the last one repeats."),
            Setting(
                "max_hold", .duration(.seconds(1) ... .days(365)), .value("14d"),
                "How long a held delivery does not age. Trials within this time use no attempt."),
            Setting(
                "ramp", .flag, .value("true"),
                "After the circuit closes, calls begin one at a time, then two, four, … up to `retry.concurrency`."),
        ])

    private static let policy = [
        Setting(
            "events", .texts(.event, count: 1...1_000), .required,
            "Event types, or patterns with `*` and `?`; each stands in one policy only."),
        Setting("initial_delay", .duration(.milliseconds(100) ... .days(7)), .value("1m"), "Wait before attempt 1."),
        Setting(
            "multiplier", .number(1...100), .value("2"), "Each wait is this many times the one before.", unit: "factor"),
        Setting(
            "max_delay", .duration(.milliseconds(100) ... .days(30)), .value("12h"),
            "Longest wait; at least `initial_delay`."),
        Setting(
            "max_attempts", .integer(1...1_000), .value("14"), "Attempts before the delivery is dead.",
            unit: "attempts"),
        Setting(
            "schedule", .durations(.milliseconds(100) ... .days(30), count: 1...100), .absent("none"),
            "One wait for each attempt, instead of the four keys above."),
        Setting(
            "jitter", .number(0...1), .value("0.1"), "Share of a wait that may be added to it at random.",
            unit: "share"),
        Setting(
            "max_age", .duration(.seconds(1) ... .days(365)), .value("72h"),
            "No attempt begins later than this after the first failure."),
        Setting(
            "on_superseded", .word(["retry", "skip"]), .value("retry"),
            "What happens once a newer event of the same webhook, customer and type has arrived."),
    ]
}

extension Duration {
    fileprivate static func minutes(_ number: Int) -> Duration { .seconds(number * 60) }
    fileprivate static func hours(_ number: Int) -> Duration { .seconds(number * 3_600) }
    fileprivate static func days(_ number: Int) -> Duration { .seconds(number * 86_400) }
}
