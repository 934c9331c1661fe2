import ArgumentParser
import DeliveryQueue
import ProviderAPI

/// The delivery that a person means: our number, or the provider's task id; `id:12` and `task:12` say which.
struct DeliveryArgument: ExpressibleByArgument, Equatable {
    static let help = ArgumentHelp(
        "The provider's task id, or our number of the delivery; write id:12 or task:12 where it could be both.",
        valueName: "task-id|id")

    let text: String

    init(argument: String) {
        text = argument
    }

    /// - Throws: `ValidationError` when no delivery or more than one matches.
    func find(in reader: QueueReader) throws -> Int64 {
        let found = try reader.deliveries(withID: id, orTaskID: taskID)
        guard let first = found.first else {
            throw ValidationError("there is no delivery \(text); `redeliver deliveries list` lists all")
        }
        guard found.count == 1 else {
            let choices = found.map { "id:\($0.delivery.id) (task \($0.delivery.taskID), endpoint \($0.endpointName))" }
            throw ValidationError("\(text) may mean several deliveries: \(choices.joined(separator: ", "))")
        }
        return first.delivery.id
    }

    /// Our number; nil when the text is none.
    var id: Int64? {
        text.hasPrefix("task:") ? nil : Int64(digits: text.hasPrefix("id:") ? text.dropFirst(3) : text[...])
    }

    private var taskID: String? {
        text.hasPrefix("id:") ? nil : String(text.hasPrefix("task:") ? text.dropFirst(5) : text[...])
    }
}
