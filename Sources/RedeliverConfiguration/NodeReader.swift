import Yams

/// Reads a configuration file's nodes by the table of keys and puts the values into `Settings`. A key that is not in
/// the table is a fault. Reading goes on after a fault.
struct NodeReader {
    private(set) var settings = Settings()
    private let repeatedKeys: [String: String]

    /// Reads the whole document. Its top level must be a mapping of `known` keys.
    init(_ document: YAMLDocument, known: [Setting]) {
        repeatedKeys = document.repeatedKeys
        guard let root = document.root else {
            settings.refuse("", "is empty: it needs at least provider, endpoints and database", at: .standard)
            return
        }
        guard case .mapping(let mapping) = root else {
            let problem = "expected a mapping of keys to values at the top level, found \(root.kindInWords)"
            settings.refuse("", problem, at: Self.origin(root.mark))
            return
        }
        readMapping(mapping, known, under: "", holdsSecrets: false)
    }

    private mutating func readMapping(
        _ mapping: Node.Mapping, _ known: [Setting], under section: String, holdsSecrets: Bool
    ) {
        for (keyNode, value) in mapping {
            let place = Self.origin(keyNode.mark)
            guard case .scalar(let scalar) = keyNode else {
                settings.addFault(section, "a key must be a single word, found \(keyNode.kindInWords)", at: place)
                continue
            }
            let name = repeatedKeys[scalar.string] ?? scalar.string
            guard let setting = known.first(where: { $0.name == name }) else {
                refuseUnknown(name, among: known, under: section, holdsSecrets: holdsSecrets, at: place)
                continue
            }
            let key = section.isEmpty ? name : "\(section).\(name)"
            if repeatedKeys[scalar.string] != nil {
                settings.addFault(key, "this key appears more than once in its mapping", at: place)
            } else {
                readValue(value, of: setting, at: key, keyPlace: place)
            }
        }
    }

    private mutating func refuseUnknown(
        _ name: String, among known: [Setting], under section: String, holdsSecrets: Bool, at place: Settings.Origin
    ) {
        let names = known.map(\.name)
        if let nearest = NearestName.of(name, among: names) {
            let key = section.isEmpty ? name : "\(section).\(name)"
            settings.addFault(key, "unknown key '\(name)', did you mean '\(nearest)'?", at: place)
        } else {
            // `{token:abc}` without a space after the colon is one key, and it contains the secret.
            let shown = holdsSecrets ? "" : " '\(SettingProblem.shown(name))'"
            let problem = "unknown key\(shown); known keys: \(names.joined(separator: ", "))"
            settings.addFault(section, problem, at: place)
        }
    }

    private mutating func readValue(
        _ node: Node, of setting: Setting, at key: String, keyPlace: Settings.Origin
    ) {
        if node.hasTag {
            let problem = "begins with !, which is a YAML tag and not supported; put the value in quotes"
            return settings.refuse(key, problem, at: keyPlace)
        }
        switch (setting.kind, node) {
        case (.section(let inner, let holdsSecrets), .mapping(let mapping)):
            settings.set(key, .section, from: Self.origin(node.mark))
            readMapping(mapping, inner, under: key, holdsSecrets: holdsSecrets)
        case (.section, _) where node.isNull:
            settings.set(key, .section, from: keyPlace)
        case (.list(let inner, let count), _) where node.isNull:
            readList([], inner, count: count, at: key, place: keyPlace)
        case (.list(let inner, let count), .sequence(let nodes)):
            readList(Array(nodes), inner, count: count, at: key, place: keyPlace)
        case (.texts(let rule, let count), .sequence(let nodes)):
            readElements(nodes, count: count, at: key, place: keyPlace, make: SettingValue.texts) {
                text throws(SettingProblem) in try ScalarReader.checked(text, by: rule)
            }
        case (.durations(let range, let count), .sequence(let nodes)):
            readElements(nodes, count: count, at: key, place: keyPlace, make: SettingValue.durations) {
                text throws(SettingProblem) in try ScalarReader.durationOrZero(text, in: range)
            }
        case (let kind, _) where node.isNull:
            settings.refuse(key, "has no value, expected \(kind.wanted)", at: keyPlace)
        case (let kind, .scalar(let scalar)):
            settings.read(scalar.string, as: kind, at: key, from: Self.origin(node.mark))
        case (let kind, _):
            let problem = "expected \(kind.wanted), found \(node.kindInWords)"
            settings.refuse(key, problem, at: Self.origin(node.mark))
        }
    }

    private mutating func readList(
        _ nodes: [Node], _ inner: [Setting], count: ClosedRange<Int>, at key: String, place: Settings.Origin
    ) {
        settings.set(key, .list(nodes.count), from: place)
        if !count.contains(nodes.count) {
            settings.addFault(key, "has \(nodes.count) entries; \(count.inWords) are allowed", at: place)
        }
        let entry = Setting("", .section(inner, holdsSecrets: false), .required, "")
        for (index, node) in nodes.enumerated() {
            readValue(node, of: entry, at: "\(key)[\(index)]", keyPlace: Self.origin(node.mark))
        }
    }

    private mutating func readElements<Element>(
        _ nodes: Node.Sequence, count: ClosedRange<Int>, at key: String, place: Settings.Origin,
        make: ([Element]) -> SettingValue, read: (String) throws(SettingProblem) -> Element
    ) {
        var elements: [Element] = []
        if !count.contains(nodes.count) {
            settings.refuse(key, "has \(nodes.count) entries; \(count.inWords) are allowed", at: place)
        }
        for (index, node) in nodes.enumerated() {
            do throws(SettingProblem) {
                guard case .scalar(let scalar) = node, !node.isNull, !node.hasTag else {
                    throw SettingProblem("expected a single value, found \(node.isNull ? "none" : node.kindInWords)")
                }
                elements.append(try read(scalar.string))
            } catch {
                settings.addFault("\(key)[\(index)]", error.text, at: Self.origin(node.mark))
                settings.spoil(key, at: place)
            }
        }
        if !settings.isUnreadable(key) { settings.set(key, make(elements), from: place) }
    }

    private static func origin(_ mark: Mark?) -> Settings.Origin {
        .file(line: mark?.line, column: mark?.column)
    }
}

extension Settings {
    /// Checks one scalar and stores it under `key`, or records why it cannot be stored.
    mutating func read(_ text: String, as kind: Setting.Kind, at key: String, from origin: Origin) {
        do throws(SettingProblem) {
            set(key, try ScalarReader.read(text, as: kind), from: origin)
        } catch {
            remove(key)
            refuse(key, error.text, at: origin)
        }
    }
}

extension ClosedRange<Int> {
    fileprivate var inWords: String { "\(lowerBound)…\(upperBound)" }
}

extension Node {
    fileprivate var kindInWords: String {
        switch self {
        case .scalar: "a single value"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    /// Nothing, `~` or `null`, not in quotes.
    fileprivate var isNull: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// True for a written tag. Without one the basic resolver gives one of these three.
    fileprivate var hasTag: Bool {
        ![Tag.Name.str, .seq, .map].map(\.rawValue).contains(tag.rawValue)
    }
}
