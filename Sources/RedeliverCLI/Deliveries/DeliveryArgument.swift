import ArgumentParser
import DeliveryQueue
import ProviderAPI

/// The delivery that a person means: the provider's task id, or our number as `#12` or `id:12`. The start of a task id
/// will do where only one begins so.
struct DeliveryArgument: ExpressibleByArgument, Equatable {
    static let help = ArgumentHelp(
        "The provider's task id, or its start where only one begins so; or our number of the delivery as id:12 or '#12'.",
        valueName: "task-id|id:number")

    /// A shorter start of a task id could be a slip.
    private static let shortestStart = 4
    private static let mostChoices = 10

    let text: String

    init(argument: String) {
        text = argument
    }

    /// - Throws: `ValidationError` when no delivery or more than one matches.
    func find(in reader: QueueReader) throws -> DeliveryRecord {
        let found = try candidates(in: reader)
        guard let first = found.first else { throw ValidationError(try reasonForNone(in: reader)) }
        guard found.count == 1 else {
            let choices = found.prefix(Self.mostChoices).map { "id:\($0.delivery.id) (\($0.whose))" }
            let more = found.count > choices.count ? ", and more" : ""
            throw ValidationError("\(text) may mean several deliveries: \(choices.joined(separator: ", "))\(more)")
        }
        return first
    }

    private func candidates(in reader: QueueReader) throws -> [DeliveryRecord] {
        guard !text.hasPrefix("id:") else { return try id.flatMap(reader.delivery(withID:)).map { [$0] } ?? [] }
        let taskID = String(text.hasPrefix("task:") ? text.dropFirst(5) : text[...])
        let exact = try reader.deliveries(withTaskID: taskID)
        guard exact.isEmpty else { return exact }
        if let id, let numbered = try reader.delivery(withID: id) { return [numbered] }
        guard taskID.count >= Self.shortestStart else { return [] }
        return try reader.deliveries(withTaskIDFrom: taskID, limit: Self.mostChoices + 1)
    }

    private func reasonForNone(in reader: QueueReader) throws -> String {
        guard let number = Int64(digits: text[...]), let numbered = try reader.delivery(withID: number) else {
            return "there is no delivery \(text); `redeliver deliveries list` lists all"
        }
        return """
            there is no delivery with task id \(text). Our number \(number) is of \(numbered.whose); to mean that one, write \
            id:\(number)
            """
    }

    /// Our number; nil when the text is none.
    var id: Int64? {
        for mark in ["id:", "#"] where text.hasPrefix(mark) { return Int64(digits: text.dropFirst(mark.count)) }
        return nil
    }
}

extension DeliveryRecord {
    /// Its task, customer and endpoint, for people.
    var whose: String {
        let customer = delivery.customerID.map { "customer \($0)" } ?? "no customer"
        return "task \(delivery.taskID), \(customer), endpoint \(endpointName)"
    }
}
