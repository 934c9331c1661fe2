/// One key of the configuration: what may stand under it and what it does. The one source of the checks, the names of
/// the environment variables and the README's table.
struct Setting: Sendable {
    /// What may stand under a key.
    indirect enum Kind: Sendable {
        case flag
        case integer(ClosedRange<Int>)
        case number(ClosedRange<Double>)
        case duration(ClosedRange<Duration>)
        /// One of these words.
        case word([String])
        case text(TextRule)
        /// One text or a list of them.
        case texts(TextRule, count: ClosedRange<Int>)
        /// A list; each of them zero or in the range.
        case durations(ClosedRange<Duration>, count: ClosedRange<Int>)
        /// A mapping with these keys. In one that holds secrets an unknown key may be a secret in the wrong place.
        case section([Setting], holdsSecrets: Bool)
        /// A list of mappings which all have these keys.
        case list([Setting], count: ClosedRange<Int>)
    }

    /// What holds where the key is absent.
    enum Standard: Sendable {
        case required
        /// Written as in the file, and read by the same rules.
        case value(String)
        /// No value of its own; the words say in the README what happens then.
        case absent(String)
    }

    let name: String
    let kind: Kind
    let standard: Standard
    /// One line for the README: what the key does.
    let effect: String
    /// For the README, where the kind does not say it: what a number counts.
    let unit: String

    init(_ name: String, _ kind: Kind, _ standard: Standard, _ effect: String, unit: String = "") {
        self.name = name
        self.kind = kind
        self.standard = standard
        self.effect = effect
        self.unit = unit
    }

    /// A key that holds further keys; never required itself, because its own required keys say more.
    static func section(_ name: String, holdsSecrets: Bool = false, _ settings: [Setting]) -> Setting {
        Setting(name, .section(settings, holdsSecrets: holdsSecrets), .absent(""), "")
    }
}

/// What a text may consist of.
struct TextRule: Sendable {
    /// Completes "expected …".
    let wanted: String
    let maxLength: Int
    /// Whether a fault must not show the value.
    let isHidden: Bool
    let allows: @Sendable (Unicode.Scalar) -> Bool

    init(
        _ wanted: String, maxLength: Int, isHidden: Bool = false,
        allows: @escaping @Sendable (Unicode.Scalar) -> Bool = { !TextRule.isControl($0) }
    ) {
        self.wanted = wanted
        self.maxLength = maxLength
        self.isHidden = isHidden
        self.allows = allows
    }

    static let id = TextRule("an id", maxLength: 200)
    static let name = TextRule("a name of letters, digits, . _ -", maxLength: 64) {
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-".unicodeScalars.contains($0)
    }
    static let field = TextRule("a field's name", maxLength: 100)
    static let event = TextRule("an event's name or a pattern with * and ?", maxLength: 200) {
        !isControl($0) && $0 != " "
    }
    /// 4,096 is Linux's limit for a path.
    static let path = TextRule("a path", maxLength: 4_096)
    static let listen = TextRule("an IP address and a port, such as 127.0.0.1:9464", maxLength: 60)
    /// Taken as secret: an address may carry a password or a token where it should not.
    static let url = TextRule("an address such as https://eu.amani.ai", maxLength: 2_000, isHidden: true)
    static let username = TextRule("a user name", maxLength: 200)
    static let password = TextRule("a password", maxLength: 1_000, isHidden: true)
    /// Visible ASCII, which is what an HTTP header can carry.
    static let token = TextRule("a token without spaces", maxLength: 16_384, isHidden: true) {
        (0x21...0x7E).contains($0.value)
    }
    /// A path or a name under which a secret lies. People paste the secret itself here, so it is treated as one.
    static let secretPath = TextRule("a path", maxLength: 4_096, isHidden: true)
    static let variable = TextRule("an environment variable's name", maxLength: 200, isHidden: true) {
        !isControl($0) && $0 != " " && $0 != "="
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control
    }
}
