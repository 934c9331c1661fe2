package enum DeliveryWorkerPlaceholder {}
