/// The checked values of one configuration under their dotted keys, and the faults found so far.
struct Settings {
    /// Where a value was written.
    enum Origin: Equatable {
        case file(line: Int?, column: Int?)
        case environment(variable: String)
        /// Nowhere: it is the default.
        case standard
    }

    struct Item: Equatable {
        var value: SettingValue
        var origin: Origin
    }

    private(set) var items: [String: Item] = [:]
    private(set) var faults: [ConfigurationFault] = []
    /// Keys whose values could not be read. Their missing values are no further faults.
    private var unreadable: [String: Origin] = [:]

    init() {}

    /// For a file that is no YAML: nothing else is known.
    init(unreadableFile fault: ConfigurationFault) {
        faults = [fault]
        unreadable = ["": .standard]
    }

    mutating func set(_ key: String, _ value: SettingValue, from origin: Origin) {
        items[key] = Item(value: value, origin: origin)
        unreadable[key] = nil
    }

    mutating func remove(_ key: String) {
        items[key] = nil
        unreadable[key] = nil
    }

    /// Records a fault because of which `key` has no value.
    mutating func refuse(_ key: String, _ problem: String, at origin: Origin) {
        addFault(key, problem, at: origin)
        spoil(key, at: origin)
    }

    /// Records that `key` has no value because a part of it is faulty.
    mutating func spoil(_ key: String, at origin: Origin) {
        unreadable[key] = origin
    }

    /// Records a fault; `key` keeps its value.
    mutating func addFault(_ key: String, _ problem: String, at origin: Origin? = nil) {
        switch origin ?? self.origin(key) {
        case .file(let line, let column):
            faults.append(ConfigurationFault(line: line, column: column, key: key, problem: problem))
        case .environment(let variable):
            faults.append(ConfigurationFault(variable: variable, key: key, problem: problem))
        case .standard: faults.append(ConfigurationFault(key: key, problem: problem))
        }
    }

    /// Where `key` was written; for an absent key the place of the nearest section around it.
    func origin(_ key: String) -> Origin {
        if let origin = items[key]?.origin ?? unreadable[key] { return origin }
        return Self.parent(key).map(origin) ?? .standard
    }

    /// Whether the operator wrote a readable value for `key`; false for a default.
    func isGiven(_ key: String) -> Bool {
        items[key].map { $0.origin != .standard } ?? false
    }

    /// Whether `key` or a section around it could not be read.
    func isUnreadable(_ key: String) -> Bool {
        unreadable[key] != nil || (Self.parent(key).map(isUnreadable) ?? false)
    }

    /// Whether the operator wrote something for `key`, readable or not.
    func isMentioned(_ key: String) -> Bool {
        isGiven(key) || unreadable[key] != nil
    }

    /// `endpoints[0].name` → `endpoints[0]` → `endpoints` → the whole file, whose key is empty; nil above it.
    private static func parent(_ key: String) -> String? {
        if key.isEmpty { return nil }
        return key.lastIndex { $0 == "." || $0 == "[" }.map { String(key[..<$0]) } ?? ""
    }

    /// In the order of the file. Faults without a place come first, those of the environment last.
    var sortedFaults: [ConfigurationFault] {
        func rank(_ fault: (offset: Int, element: ConfigurationFault)) -> (Int, Int, Int, Int) {
            let place = fault.element
            return (place.variable == nil ? 0 : 1, place.line ?? 0, place.column ?? 0, fault.offset)
        }
        return faults.enumerated().sorted { rank($0) < rank($1) }.map(\.element)
    }
}

/// Reads single values. A key without a value has a fault already or gets one here. A configuration with a fault is
/// never used, so nobody sees the stand-in values.
extension Settings {
    mutating func text(_ key: String) -> String {
        if case .text(let text) = items[key]?.value { return text }
        return missing(key, standIn: "")
    }

    mutating func texts(_ key: String) -> [String] {
        if case .texts(let texts) = items[key]?.value { return texts }
        return missing(key, standIn: [])
    }

    mutating func flag(_ key: String) -> Bool {
        if case .flag(let flag) = items[key]?.value { return flag }
        return missing(key, standIn: false)
    }

    mutating func integer(_ key: String) -> Int {
        if case .integer(let number) = items[key]?.value { return number }
        return missing(key, standIn: 0)
    }

    mutating func number(_ key: String) -> Double {
        if case .number(let number) = items[key]?.value { return number }
        return missing(key, standIn: 0)
    }

    mutating func duration(_ key: String) -> Duration {
        if case .duration(let duration) = items[key]?.value { return duration }
        return missing(key, standIn: .zero)
    }

    mutating func durations(_ key: String) -> [Duration] {
        if case .durations(let durations) = items[key]?.value { return durations }
        return missing(key, standIn: [])
    }

    /// How many mappings a list holds.
    mutating func count(_ key: String) -> Int {
        if case .list(let count) = items[key]?.value { return count }
        return missing(key, standIn: 0)
    }

    /// The text of a key that may be absent.
    mutating func optionalText(_ key: String) -> String? {
        isGiven(key) ? text(key) : nil
    }

    private mutating func missing<Value>(_ key: String, standIn: Value) -> Value {
        if !isUnreadable(key) { refuse(key, "is required", at: origin(key)) }
        return standIn
    }
}
