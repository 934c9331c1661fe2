import LocalFiles
import ProviderAPI

/// What a configuration without faults should be warned about.
enum Cautions {
    /// - Parameters:
    ///   - settings: the file's values with the environment's over them.
    ///   - path: the configuration file.
    static func of(
        _ settings: Settings, _ configuration: WorkerConfiguration, path: String
    ) -> [ConfigurationFault] {
        exposed(settings, configuration, path) + unusable(configuration) + alike(configuration)
            + shared(configuration) + tooFew(configuration)
    }

    // MARK: - Secrets

    /// Secrets in files that every user of this machine may read.
    private static func exposed(
        _ settings: Settings, _ configuration: WorkerConfiguration, _ path: String
    ) -> [ConfigurationFault] {
        var files: [(key: String, path: String)] = []
        for key in [AuthKeys.token, AuthKeys.password] where settings.isInFile(key) { files.append((key, path)) }
        if let file = configuration.provider.credential.file { files.append((fileKey(configuration), file)) }
        if let file = configuration.provider.path.identity?.key { files.append(("provider.client_key", file)) }
        if let file = settings.proxyCredentialsFile(besides: path) {
            files.append(("provider.proxy_credentials_file", file))
        }
        return files.compactMap { key, file in
            guard let status = FileStatus(at: file), status.isOpenToAll else { return nil }
            let mode = "0" + String(status.permissions & 0o777, radix: 8)
            return ConfigurationFault(
                key: key,
                problem:
                    "every user of this machine may read this secret: its file has mode \(mode); use 0640 with the "
                    + "daemon's group, or 0600")
        }
    }

    /// A secret that is there and cannot work.
    private static func unusable(_ configuration: WorkerConfiguration) -> [ConfigurationFault] {
        guard let problem = configuration.provider.credential.problemInFile() else { return [] }
        return [ConfigurationFault(key: fileKey(configuration), problem: problem)]
    }

    private static func fileKey(_ configuration: WorkerConfiguration) -> String {
        if case .tokenFile = configuration.provider.credential { AuthKeys.tokenFile } else { AuthKeys.passwordFile }
    }

    // MARK: - Limits

    /// Fewer requests than the polls need, or than leave room for looks before calls. How many pages the overlap has,
    /// and how many endpoints are called at once, nobody knows before.
    private static func tooFew(_ configuration: WorkerConfiguration) -> [ConfigurationFault] {
        guard let limit = configuration.poll.requestsPerMinute else { return [] }
        let (poll, minute) = (configuration.poll, Duration.seconds(60))
        let polls = Int((Double(configuration.endpoints.count) * (minute / poll.longestPause)).rounded(.up))
        let looks = Int((minute / configuration.retry.freshWithin).rounded(.up))
        guard polls + looks > limit else { return [] }
        let fresh = "a look every \(DurationText.format(configuration.retry.freshWithin)), \(looks) a minute"
        let again =
            poll.rereadsOverlap
            ? ", and the pages of the last \(DurationText.format(poll.overlap)) are read again every "
                + DurationText.format(WorkerConfiguration.Poll.overlapInterval)
            : ""
        let share = "; of five requests each purpose that waits gets one"
        let count = configuration.endpoints.count
        let every = "\(count) \(count == 1 ? "endpoint" : "endpoints") every \(DurationText.format(poll.longestPause))"
        let problem =
            polls > limit
            ? "\(limit) a minute are too few: to poll \(every) takes at least \(polls); polls will come later. An endpoint "
                + "whose deliveries are called takes \(fresh), on top\(again)\(share)"
            : "\(limit) a minute leave \(limit - polls) beside the polls of \(every): an endpoint whose deliveries are called "
                + "takes \(fresh)\(again)\(share); calls will come later"
        return [ConfigurationFault(key: "poll.requests_per_minute", problem: problem)]
    }

    // MARK: - Ids

    /// Ids that people, and the provider perhaps, take for one.
    private static func alike(_ configuration: WorkerConfiguration) -> [ConfigurationFault] {
        var seen: [[Unicode.Scalar]: Int] = [:]
        return configuration.endpoints.enumerated().compactMap { index, endpoint in
            let form = Likeness.of(endpoint.id)
            defer { seen[form] = seen[form] ?? index }
            return seen[form].map { first in
                let difference = Likeness.difference(between: configuration.endpoints[first].id, endpoint.id)
                return ConfigurationFault(
                    key: "endpoints[\(index)].id",
                    problem: "differs from endpoints[\(first)].id only in \(difference): is it another endpoint?")
            }
        }
    }
}

extension Cautions {
    /// Webhook ids that several endpoints have: an entry that names one does not tell whose it is.
    fileprivate static func shared(_ configuration: WorkerConfiguration) -> [ConfigurationFault] {
        var seen: [String: Int] = [:]
        return configuration.endpoints.enumerated().compactMap { index, endpoint in
            let webhookID = endpoint.webhookID ?? endpoint.id
            defer { seen[webhookID] = seen[webhookID] ?? index }
            return seen[webhookID].map { first in
                ConfigurationFault(
                    key: "endpoints[\(index)].webhook_id",
                    problem: "is also that of endpoints[\(first)]: an entry of the log does not tell whose it is")
            }
        }
    }
}

extension Settings {
    /// Whether the operator wrote a value for `key` into the file.
    fileprivate func isInFile(_ key: String) -> Bool {
        if case .file = items[key]?.origin { true } else { false }
    }

    fileprivate func proxyCredentialsFile(besides path: String) -> String? {
        guard case .text(let file) = items["provider.proxy_credentials_file"]?.value else { return nil }
        return ConfigurationFolder(of: path).path(file)
    }
}
