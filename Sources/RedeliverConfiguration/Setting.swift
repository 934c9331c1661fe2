import ProviderAPI

/// One key of the configuration: its allowed values and its effect.
struct Setting: Sendable {
    /// The allowed values of a key.
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
        /// A list; each duration is zero or in the range.
        case durations(ClosedRange<Duration>, count: ClosedRange<Int>)
        /// A mapping with these keys. Where it holds secrets an unknown key may be a misplaced secret and is not shown.
        case section([Setting], holdsSecrets: Bool)
        /// A list of mappings with these keys.
        case list([Setting], count: ClosedRange<Int>)
    }

    /// What an absent key means.
    enum Standard: Sendable {
        case required
        /// A default, written as in the file and read by the same rules.
        case value(String)
        /// No default; the words describe the effect in the documentation.
        case absent(String)
    }

    let name: String
    let kind: Kind
    let standard: Standard
    /// One line for the documentation: what the key does.
    let effect: String
    /// For the documentation: what a number counts, where the kind does not say it.
    let unit: String

    init(_ name: String, _ kind: Kind, _ standard: Standard, _ effect: String, unit: String = "") {
        self.name = name
        self.kind = kind
        self.standard = standard
        self.effect = effect
        self.unit = unit
    }

    /// A key that holds further keys. It is never required itself, because its own required keys say more.
    static func section(_ name: String, holdsSecrets: Bool = false, _ settings: [Setting]) -> Setting {
        Setting(name, .section(settings, holdsSecrets: holdsSecrets), .absent(""), "")
    }
}

/// The allowed characters and length of a text.
struct TextRule: Sendable {
    /// Completes "expected …".
    let wanted: String
    let maxLength: Int
    /// True when a fault must not show the value.
    let isHidden: Bool
    let allows: @Sendable (Unicode.Scalar) -> Bool

    init(
        _ wanted: String, maxLength: Int, isHidden: Bool = false,
        allows: @escaping @Sendable (Unicode.Scalar) -> Bool = { !$0.isControl }
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
    static let timeZone = TextRule("UTC, an offset such as +03:00, or a zone such as Europe/Istanbul", maxLength: 60)
    static let event = TextRule("an event's name or a pattern with * and ?", maxLength: 200) {
        !$0.isControl && $0 != " "
    }
    /// 4,096 is Linux's limit for a path.
    static let path = TextRule("a path", maxLength: 4_096)
    static let listen = TextRule("an IP address and a port, such as 127.0.0.1:9464", maxLength: 60)
    /// Hidden, because an address may hold a password or a token by mistake.
    static let url = TextRule("an address such as https://eu.amani.ai", maxLength: 2_000, isHidden: true)
    static let username = TextRule("a user name", maxLength: 200)
    static let password = TextRule("a password", maxLength: 1_000, isHidden: true)
    /// Visible ASCII, as HTTP headers allow.
    static let token = TextRule("a token without spaces", maxLength: 16_384, isHidden: true) {
        (0x21...0x7E).contains($0.value)
    }
    /// A path or a name of a secret. Hidden, because people paste the secret itself here.
    static let secretPath = TextRule("a path", maxLength: 4_096, isHidden: true)
    static let variable = TextRule("an environment variable's name", maxLength: 200, isHidden: true) {
        !$0.isControl && $0 != " " && $0 != "="
    }
}
