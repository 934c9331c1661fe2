import DeliveryQueue
import ProviderAPI

extension Answer {
    /// The provider's side names the kind; what it means stands in `AnswerTable`. Whom a 403 is about is the gate's to
    /// say.
    init(_ kind: RetryAnswer.Kind) {
        self =
            switch kind {
            case .accepted: .accepted
            case .uncertain: .uncertain
            case .throttled: .throttled
            case .unavailable: .unavailable
            case .unreachable: .unreachable
            case .unauthorized: .unauthorized
            case .forbidden: .forbidden
            case .notFound: .notFound
            case .rejected: .rejected
            case .redirected: .redirected
            case .clientRefused: .clientRefused
            case .bodyForm: .bodyForm
            case .moved: .moved
            case .serverError: .serverError
            case .late: .late
            }
    }
}

extension RetryRequest {
    init(_ delivery: ClaimedDelivery, as form: BodyForm = .json) {
        self.init(
            taskIDJSON: delivery.taskIDJSON, customerIDJSON: delivery.customerIDJSON,
            webhookIDJSON: delivery.webhookIDJSON, eventType: delivery.eventType, body: delivery.body,
            form: form)
    }
}
