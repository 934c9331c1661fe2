/// One row of a page, cut out of it: where it stands, and the values of those fields that the table knows.
///
/// A row that is not JSON is cut out too, because its quotes and brackets tell its end. Its sound fields are known as
/// far as they can be told apart.
struct LogRow {
    /// What is wrong with a row as JSON.
    struct Damage {
        let fault: JSONSyntaxError
        /// The field in whose value it was found; nil when it was found between two fields.
        let field: Range<Int>?
    }

    /// How many fields a message names.
    private static let inventoryLimit = 20

    /// The whole page.
    let bytes: [UInt8]
    let range: Range<Int>
    let isObject: Bool
    /// The first fault; nil for sound JSON.
    private(set) var damage: Damage?
    /// By slot of the table; empty for a row that has no field.
    private var values: [Range<Int>?] = []

    /// Cuts out the row at the scanner's position and leaves the scanner behind it.
    ///
    /// - Throws: when the row's end cannot be found, so that the page's structure is lost.
    init(from scanner: inout JSONScanner, _ table: FieldTable) throws(JSONSyntaxError) {
        bytes = scanner.bytes
        isObject = scanner.peek() == Byte.openBrace
        guard isObject else {
            range = try scanner.anyValue().range
            return
        }
        let mark = scanner.mark
        do throws(JSONSyntaxError) {
            let start = scanner.position
            try Self.readFields(&scanner, table, &values, &damage)
            range = start..<scanner.position
        } catch {
            damage = damage ?? Damage(fault: error, field: nil)
            range = try scanner.roughValue(from: mark, because: error)
        }
    }

    /// Notes what it finds as it goes, so that the fields before a fault are known.
    private static func readFields(
        _ scanner: inout JSONScanner, _ table: FieldTable, _ values: inout [Range<Int>?], _ damage: inout Damage?
    ) throws(JSONSyntaxError) {
        try scanner.enter()
        while let key = try scanner.nextKey() {
            if values.isEmpty { values = [Range<Int>?](repeating: nil, count: table.names.count) }
            let (value, fault) = try scanner.anyValue()
            if let fault {
                damage = damage ?? Damage(fault: fault, field: key)
            } else {
                table.note(value, forKey: key, in: scanner.bytes, values: &values)
            }
        }
    }

    /// The value in `slot`; nil when it is absent, null or no JSON.
    func token(_ slot: Int) -> ArraySlice<UInt8>? {
        guard slot < values.count, let range = values[slot], bytes[range.lowerBound] != Byte.smallN else { return nil }
        return bytes[range]
    }

    /// Whether one of `slots` is there and null.
    func hasNull(_ slots: Range<Int>) -> Bool {
        guard !values.isEmpty else { return false }
        return slots.contains { slot in values[slot].map { bytes[$0.lowerBound] == Byte.smallN } ?? false }
    }

    /// The first value among `slots` that is not null.
    func first(_ slots: Range<Int>) -> ArraySlice<UInt8>? {
        for slot in slots { if let token = token(slot) { return token } }
        return nil
    }

    /// The body: the first value that is not null, else a null that is there; nil when all fields are absent.
    func body(_ slots: Range<Int>) -> ArraySlice<UInt8>? {
        guard !values.isEmpty else { return nil }
        return first(slots) ?? slots.lazy.compactMap { values[$0] }.first.map { bytes[$0] }
    }

    /// What is wrong and where, without the value itself.
    func detail(of damage: Damage) -> String {
        let place = damage.field.map { "\(Self.name(bytes[$0])): " } ?? ""
        guard damage.fault.problem != .tooDeep else {
            return "\(place)nested deeper than \(JSONScanner.depthLimit) levels"
        }
        let offset = damage.fault.offset - range.lowerBound
        return "\(place)\(damage.fault.problem.rawValue), at byte \(offset) of the entry"
    }

    /// The names of the fields that the row has, for a message: what the configuration may name instead. Never a value.
    var inventory: String {
        var scanner = JSONScanner(bytes, at: range.lowerBound)
        var names: [String] = []
        guard (try? scanner.enter()) != nil else { return "the entry is no object" }
        while names.count <= Self.inventoryLimit, let key = try? scanner.nextKey() {
            let name = Self.name(bytes[key])
            if !names.contains(name) { names.append(name) }
            guard (try? scanner.anyValue()) != nil else { break }
        }
        if names.isEmpty { return "the entry has no fields" }
        let more = names.count > Self.inventoryLimit ? ", …" : ""
        return "the entry has: " + names.prefix(Self.inventoryLimit).joined(separator: ", ") + more
    }

    /// A field's name for a message.
    private static func name(_ key: ArraySlice<UInt8>) -> String {
        Printable.text(JSONText.decode(key, limit: 40))
    }
}
