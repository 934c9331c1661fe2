import DeliveryQueue
import Logging
import ProviderAPI
import RedeliverConfiguration

/// What a turn says in the log.
extension LogPoller {
    func log(_ summary: PollSummary) {
        switch summary.circuit {
        case .hold:
            logger.warning(
                "circuit opened: the receiver fails for all deliveries; they are held, and one at a time is tried",
                metadata: ["endpoint": "\(endpoint.name)"])
        case .release:
            logger.notice(
                "circuit closed: the receiver is back; held deliveries are due",
                metadata: ["endpoint": "\(endpoint.name)"]
            )
        case nil: break
        }
        if summary.beganToLeaveOut {
            logger.warning(
                "entries of the log that cannot be read are left out: as many as are kept for an endpoint are kept",
                metadata: ["endpoint": "\(endpoint.name)", "kept.limit": "\(QueueStore.unreadableLimit)"])
        }
        logger.info(
            "log read",
            metadata: [
                "endpoint": "\(endpoint.name)", "pages": "\(summary.pages)", "entries": "\(summary.entries)",
                "failures.new": "\(summary.new)", "delivered": "\(summary.delivered)",
                "failed.again": "\(summary.failedAgain)", "unreadable": "\(summary.unreadable)",
                "unfinished": "\(summary.isUnfinished)",
            ])
    }

    /// Warns once for an endpoint of bodies that their receiver may not be able to read. Never shows one.
    func say(_ oddness: BodyOddness) {
        guard oddBodies.isNew(endpoint.id) else { return }
        logger.warning(
            """
            the body of a failure is a string that is not JSON; it will be sent as the log shows it, and the receiver may not be \
            able to read it
            """,
            metadata: ["endpoint": "\(endpoint.name)", "body.looks": "\(oddness.rawValue)"])
    }

    func say(zone: String) {
        guard zones.isNew(endpoint.id) else { return }
        logger.warning(
            """
            the times of the log are hours off by whole quarters, so outcomes of retries are not recognised; if they are local \
            times, set provider.log_fields.time_zone
            """,
            metadata: ["endpoint": "\(endpoint.name)", "time_zone": "\(zone)"])
    }

    func say(_ correction: LinkCorrection) {
        guard strayLinks.isNew(endpoint.id) else { return }
        logger.notice(
            "the log's links to the next page do not lead to base_url; their path and query are followed there",
            metadata: [
                "endpoint": "\(endpoint.name)", "link.origin": "\(correction.origin ?? "as base_url")",
                "link.lacks": "\(correction.prefix ?? "nothing")",
            ])
    }
}
