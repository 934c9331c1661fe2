/// Environment variables that set single keys: `REDELIVER_` and the key's path in capitals, with `_` for the dots. They
/// win over the file and obey the same rules.
struct EnvironmentOverrides {
    static let prefix = "REDELIVER_"

    /// A key that a variable can set.
    struct Key: Sendable {
        let path: String
        let kind: Setting.Kind
        var variable: String { EnvironmentOverrides.prefix + path.uppercased().replacing(".", with: "_") }
    }

    /// Every single value outside lists.
    static let keys: [Key] = keys(of: ConfigurationKeys.all, under: "")

    /// Variables with our prefix that are no keys.
    private static let reservedNames: Set<String> = ["REDELIVER_LOG_LEVEL"]
    private static let reservedPrefixes = ["REDELIVER_TEST_"]

    private let environment: [String: String]

    init(_ environment: [String: String]) {
        self.environment = environment
    }

    /// Replaces values of the file by those of the environment. A variable that names no key is a fault.
    func apply(to settings: inout Settings) {
        let given = Self.keys.filter { environment[$0.variable] != nil }
        replaceAuth(given.map(\.path), in: &settings)
        for key in given {
            guard let text = environment[key.variable] else { continue }
            settings.read(text, as: key.kind, at: key.path, from: .environment(variable: key.variable))
        }
        refuseUnknown(in: &settings)
    }

    /// A form of `provider.auth` in the environment replaces the file's form, so that there are not two. A password
    /// alone replaces the file's password and keeps its user name.
    private func replaceAuth(_ given: [String], in settings: inout Settings) {
        let tokens = AuthKeys.tokens.contains(where: given.contains)
        let passwords = AuthKeys.passwords.contains(where: given.contains)
        let login = passwords || given.contains(AuthKeys.username)
        if tokens || login { AuthKeys.tokens.forEach { settings.remove($0) } }
        if tokens || passwords { AuthKeys.passwords.forEach { settings.remove($0) } }
        if tokens { settings.remove(AuthKeys.username) }
    }

    private func refuseUnknown(in settings: inout Settings) {
        var known = Set(Self.keys.map(\.variable)).union(Self.reservedNames)
        // The variable that holds the token may be called REDELIVER_TOKEN.
        known.formUnion(AuthKeys.variables.compactMap { settings.optionalText($0) })
        for name in environment.keys.sorted() where name.hasPrefix(Self.prefix) && !known.contains(name) {
            if Self.reservedPrefixes.contains(where: name.hasPrefix) || Self.isOfKubernetes(name) { continue }
            let origin = Settings.Origin.environment(variable: SettingProblem.shown(name))
            settings.addFault("", Self.unknownProblem(name), at: origin)
        }
    }

    /// Whether Kubernetes or Docker set the variable: a pod beside a Service called `redeliver`, or
    /// `redeliver-metrics`, finds such as `REDELIVER_SERVICE_HOST`, `REDELIVER_PORT` and
    /// `REDELIVER_METRICS_PORT_9464_TCP_ADDR`. No key ends so.
    private static func isOfKubernetes(_ name: String) -> Bool {
        name.wholeMatch(
            of: /REDELIVER_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)/)
            != nil
    }

    private static func unknownProblem(_ name: String) -> String {
        let endings = keys.map { String($0.variable.dropFirst(prefix.count)).lowercased() }
        if let nearest = NearestName.of(String(name.dropFirst(prefix.count)), among: endings) {
            return "unknown variable, did you mean \(prefix)\(nearest.uppercased())?"
        }
        return "unknown variable; write \(prefix) and a key's path, as in REDELIVER_RETRY_CONCURRENCY for "
            + "retry.concurrency; endpoints and policies can be set in the file only"
    }

    private static func keys(of settings: [Setting], under section: String) -> [Key] {
        settings.flatMap { setting -> [Key] in
            let path = section.isEmpty ? setting.name : "\(section).\(setting.name)"
            switch setting.kind {
            case .section(let inner, _): return keys(of: inner, under: path)
            case .list, .durations: return []
            case .flag, .integer, .number, .duration, .word, .text, .texts: return [Key(path: path, kind: setting.kind)]
            }
        }
    }
}
