import ArgumentParser
import DeliveryQueue

/// Which delivery a person means: a number of ours or a task id of the provider; `id:12` and `task:12` where it could
/// be both.
struct DeliveryArgument: ExpressibleByArgument, Equatable {
    static let help = ArgumentHelp(
        "The task id, or our number of the delivery; id:12 and task:12 say which.", valueName: "task-id|id")

    let text: String

    init(argument: String) {
        text = argument
    }

    /// - Throws: `ValidationError` when there is none, or more than one.
    func find(in reader: QueueReader) throws -> Int64 {
        let found = try reader.deliveries(withID: id, orTaskID: taskID)
        guard let first = found.first else {
            throw ValidationError("there is no delivery \(text): `redeliver deliveries list` shows what there is")
        }
        guard found.count == 1 else {
            let choices = found.map { "id:\($0.delivery.id) (task \($0.delivery.taskID), endpoint \($0.endpointName))" }
            throw ValidationError("\(text) may mean several deliveries: \(choices.joined(separator: ", "))")
        }
        return first.delivery.id
    }

    private var id: Int64? {
        text.hasPrefix("task:") ? nil : Int64(text.hasPrefix("id:") ? text.dropFirst(3) : text[...])
    }

    private var taskID: String? {
        text.hasPrefix("id:") ? nil : String(text.hasPrefix("task:") ? text.dropFirst(5) : text[...])
    }
}
