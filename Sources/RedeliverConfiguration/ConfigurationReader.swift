import DeliveryQueue
import ProviderAPI

/// Makes a configuration from checked single values: fills in defaults and applies the rules that concern several keys.
struct ConfigurationReader {
    private var settings: Settings
    private let environment: [String: String]
    private let folder: ConfigurationFolder
    private let standIn: Credential?

    /// - Parameters:
    ///   - settings: the file's values with the environment's over them.
    ///   - environment: the variables that `token_env` and `password_env` name.
    ///   - folder: where relative paths start.
    ///   - credential: used in place of the configured one, which is not checked then.
    init(
        _ settings: Settings, environment: [String: String], folder: ConfigurationFolder, credential: Credential? = nil
    ) {
        self.settings = settings
        self.environment = environment
        self.folder = folder
        standIn = credential
    }

    /// - Parameter file: its path, for the error.
    /// - Throws: all faults of the file, of the environment and of keys that contradict each other.
    mutating func read(file: String) throws(ConfigurationError) -> WorkerConfiguration {
        fillIn(ConfigurationKeys.all, under: "")
        let credential = standIn ?? CredentialReader(environment: environment, folder: folder).read(&settings)
        let baseURL = baseURL()
        let networkPath = NetworkPathReader(folder: folder, baseURL: baseURL).read(&settings)
        let database = path("database")
        let diskReserve = diskReserve()
        let metrics = metrics(database: database)
        let confirm = confirm()
        let endpoints = endpoints()
        let policies = PolicyReader.read(&settings)
        let poll = WorkerConfiguration.Poll(
            interval: settings.duration("poll.interval"), overlap: settings.duration("poll.overlap"),
            initialLookback: settings.duration("poll.initial_lookback"),
            requestsPerMinute: integerIfGiven("poll.requests_per_minute"))
        let retry = WorkerConfiguration.Retry(
            concurrency: settings.integer("retry.concurrency"), perSecond: settings.number("retry.per_second"),
            burst: settings.integer("retry.burst"), freshWithin: settings.duration("retry.fresh_within"),
            body: RetryRequest.BodyForm(rawValue: settings.text("retry.body")) ?? .json)
        let circuit = circuit(rampLimit: retry.concurrency)
        let requestTimeout = settings.duration("provider.request_timeout")
        guard let credential, let baseURL, settings.faults.isEmpty else {
            throw ConfigurationError(path: file, faults: settings.sortedFaults)
        }
        let provider = WorkerConfiguration.Provider(
            baseURL: baseURL, credential: credential, path: networkPath, requestTimeout: requestTimeout,
            fields: fields())
        return WorkerConfiguration(
            provider: provider, endpoints: endpoints, database: database, diskReserve: diskReserve, metrics: metrics,
            poll: poll, confirm: confirm, retry: retry, circuit: circuit, policies: policies)
    }

    /// Gives each absent key its default, in lists too.
    private mutating func fillIn(_ known: [Setting], under section: String) {
        for setting in known {
            let key = section.isEmpty ? setting.name : "\(section).\(setting.name)"
            switch setting.kind {
            case .section(let inner, _):
                fillIn(inner, under: key)
            case .list(let inner, _):
                guard case .list(let count) = settings.items[key]?.value else { continue }
                for index in 0..<count { fillIn(inner, under: "\(key)[\(index)]") }
            case .flag, .integer, .number, .duration, .word, .text, .texts, .durations:
                guard case .value(let text) = setting.standard, !settings.isMentioned(key) else { continue }
                settings.read(text, as: setting.kind, at: key, from: .standard)
            }
        }
    }

    /// nil when the address is missing or cannot be used, which is then a recorded fault.
    private mutating func baseURL() -> BaseAddress? {
        let text = settings.text("provider.base_url")
        guard settings.isGiven("provider.base_url") else { return nil }
        do throws(AddressFault) {
            let address = try BaseAddress(text)
            if !address.isHTTPS, !address.isThisMachine, !settings.flag("provider.allow_insecure_http") {
                settings.addFault(
                    "provider.base_url",
                    "http would send the token unprotected: use https, or set provider.allow_insecure_http: true")
            }
            return address
        } catch {
            settings.addFault("provider.base_url", error.problem)
            return nil
        }
    }

    private mutating func fields() -> FieldNames {
        var fields = FieldNames.standard
        for field in ConfigurationKeys.fields where settings.isGiven("provider.log_fields.\(field.name)") {
            fields[keyPath: field.names] = settings.texts("provider.log_fields.\(field.name)")
        }
        let key = "provider.log_fields.time_zone"
        if let zone = LogZone(settings.text(key)) {
            fields.timeZone = zone
        } else {
            settings.addFault(key, "expected \(TextRule.timeZone.wanted)")
        }
        return fields
    }

    private mutating func path(_ key: String) -> String {
        folder.path(settings.text(key))
    }

    /// In bytes; nil when none is given.
    private mutating func diskReserve() -> Int64? {
        integerIfGiven("disk.reserve_mib").map { Int64($0) << 20 }
    }

    private mutating func integerIfGiven(_ key: String) -> Int? {
        settings.isGiven(key) ? settings.integer(key) : nil
    }

    private mutating func metrics(database: String) -> WorkerConfiguration.Metrics {
        let key = "metrics.textfile"
        let beside = ConfigurationFolder(of: database).path("redeliver.prom")
        let textfile = settings.isGiven(key) ? path(key) : beside
        // node_exporter ignores every other file without a message.
        if !textfile.hasSuffix(".prom") {
            settings.addFault(key, "must end in .prom, or node_exporter does not see it")
        }
        if settings.isGiven("database"), textfile == database {
            settings.addFault(key, "must not be the same file as database")
        }
        return WorkerConfiguration.Metrics(
            textfile: textfile, interval: settings.duration("metrics.interval"), listen: listenAddress())
    }

    private mutating func listenAddress() -> ListenAddress? {
        let key = "metrics.listen"
        guard let text = settings.optionalText(key) else { return nil }
        let address = ListenAddress(text)
        if address == nil { settings.addFault(key, "expected \(TextRule.listen.wanted)") }
        return address
    }

    private mutating func confirm() -> WorkerConfiguration.Confirm {
        let interval = settings.duration("confirm.interval")
        let within = settings.duration("confirm.within")
        if within < interval, !settings.isUnreadable("confirm.within") {
            let culprit = settings.isGiven("confirm.within") ? "confirm.within" : "confirm.interval"
            let (shorter, longer) = (DurationText.format(within), DurationText.format(interval))
            settings.addFault(culprit, "within \(shorter) is shorter than interval \(longer)")
        }
        let by = RetryRules.Confirmation(rawValue: settings.text("confirm.by")) ?? .log
        return WorkerConfiguration.Confirm(by: by, interval: interval, within: within)
    }

    /// - Parameter rampLimit: a ramp ends at this many calls in flight.
    private mutating func circuit(rampLimit: Int) -> CircuitSettings {
        let key = "circuit.trial_delays"
        let delays = settings.isGiven(key) ? settings.durations(key) : []
        // Other lists of waits may have 0s; trials without a wait would flood a receiver that is down.
        if delays.contains(.zero) { settings.addFault(key, "0s is outside 100ms…1d") }
        return CircuitSettings(
            isEnabled: settings.flag("circuit.enabled"), openAfter: settings.integer("circuit.open_after"),
            trialDelays: delays.isEmpty ? CircuitSettings.standardDelays : delays,
            maxHold: settings.duration("circuit.max_hold"),
            rampLimit: settings.flag("circuit.ramp") ? rampLimit : nil)
    }

    private mutating func endpoints() -> [WorkerConfiguration.Endpoint] {
        var ids: [String: String] = [:]
        var names: [String: String] = [:]
        return (0..<settings.count("endpoints")).map { index in
            let key = "endpoints[\(index)]"
            let id = settings.text("\(key).id")
            // Such a segment of the provider's address would lead to another path.
            if id == "." || id == ".." { settings.addFault("\(key).id", "'\(id)' cannot be an id") }
            let name = settings.optionalText("\(key).name") ?? id
            refuseRepeated(id, "\(key).id", seen: &ids)
            let nameKey = settings.isGiven("\(key).name") ? "\(key).name" : "\(key).id"
            if name != id || ids[id] == "\(key).id" { refuseRepeated(name, nameKey, seen: &names) }
            return WorkerConfiguration.Endpoint(
                id: id, name: name, webhookID: settings.optionalText("\(key).webhook_id"))
        }
    }

    private mutating func refuseRepeated(_ text: String, _ key: String, seen: inout [String: String]) {
        guard settings.isGiven(key) else { return }
        if let other = seen[text] {
            // Swift's texts are equal in whichever way they are composed, and so are the keys of all our tables.
            let how = settings.text(other).utf8.elementsEqual(text.utf8) ? "" : ", composed in another way"
            settings.addFault(key, "'\(SettingProblem.shown(text))' is the same as \(other)\(how)")
        }
        seen[text] = seen[text] ?? key
    }
}
