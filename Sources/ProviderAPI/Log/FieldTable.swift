/// ``FieldNames`` compiled for the scanner. Finds the slots of a raw key without making a string of it.
///
/// Each name of each list has a slot. The slots of one list are neighbours, in the order of the list. A class, because
/// each row takes it along: to copy its arrays was a quarter of the work on a page of small rows.
final class FieldTable: Sendable {
    let taskID: Range<Int>
    let eventType: Range<Int>
    let customerID: Range<Int>
    let webhookID: Range<Int>
    let body: Range<Int>
    let outcome: Range<Int>
    let time: Range<Int>
    let error: Range<Int>
    let timeZone: LogZone

    /// The name of each slot.
    let names: [String]
    private let keys: [[UInt8]]
    private let slotsByLength: [[Int]]

    init(_ fields: FieldNames) {
        var names: [String] = []
        func add(_ list: [String]) -> Range<Int> {
            names += list
            return (names.count - list.count)..<names.count
        }
        taskID = add(fields.taskID)
        eventType = add(fields.eventType)
        customerID = add(fields.customerID)
        webhookID = add(fields.webhookID)
        body = add(fields.body)
        outcome = add(fields.outcome)
        time = add(fields.time)
        error = add(fields.error)
        timeZone = fields.timeZone
        self.names = names
        keys = names.map { Array($0.utf8) }
        var slotsByLength: [[Int]] = Array(repeating: [], count: (keys.map(\.count).max() ?? 0) + 1)
        for (slot, key) in keys.enumerated() { slotsByLength[key.count].append(slot) }
        self.slotsByLength = slotsByLength
    }

    /// Puts `value` into each slot whose name is the key at `key`, a range between quotes. Of a repeated key the last
    /// value counts, as in Python and JavaScript.
    func note(_ value: Range<Int>, forKey key: Range<Int>, in bytes: [UInt8], values: inout [Range<Int>?]) {
        if hasEscape(bytes, key) {
            // One character more than the longest name is enough to be none of them.
            let decoded = Array(JSONText.decode(bytes[key], limit: slotsByLength.count).utf8)
            note(value, forKey: decoded.indices, of: decoded, values: &values)
        } else {
            note(value, forKey: key, of: bytes, values: &values)
        }
    }

    private func hasEscape(_ bytes: [UInt8], _ key: Range<Int>) -> Bool {
        for index in key where bytes[index] == Byte.backslash { return true }
        return false
    }

    private func note(_ value: Range<Int>, forKey key: Range<Int>, of bytes: [UInt8], values: inout [Range<Int>?]) {
        guard key.count < slotsByLength.count else { return }
        for slot in slotsByLength[key.count] where matches(slot, bytes, key) {
            values[slot] = value
        }
    }

    private func matches(_ slot: Int, _ bytes: [UInt8], _ key: Range<Int>) -> Bool {
        let name = keys[slot]
        for index in 0..<name.count where name[index] != bytes[key.lowerBound + index] { return false }
        return true
    }

    /// The names of these slots for a message, such as `task_id, id`.
    func list(_ slots: Range<Int>) -> String {
        names[slots].joined(separator: ", ")
    }
}
