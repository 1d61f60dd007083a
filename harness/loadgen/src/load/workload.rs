use super::{Arrivals, CapacityPlan, ChatPlan, FeedPlan, Workload};

impl Workload {
    /// How the messages of an open loop are timed; `None`: the loop is closed.
    #[must_use]
    pub fn arrivals(&self) -> Option<Arrivals> {
        match self {
            Self::Echo { arrivals, .. }
            | Self::Broadcast { arrivals, .. }
            | Self::Chat(ChatPlan { arrivals, .. }) => {
                Some(*arrivals).filter(|arrivals| arrivals.rate.is_some())
            }
            Self::Xhr { .. }
            | Self::Feed(_)
            | Self::Countdown { .. }
            | Self::Connect { .. }
            | Self::Capacity(_) => None,
        }
    }

    /// How many connections it opens.
    #[must_use]
    pub fn connections(&self) -> usize {
        match *self {
            Self::Echo { connections, .. }
            | Self::Xhr { connections }
            | Self::Feed(FeedPlan { clients: connections, .. })
            | Self::Countdown { clients: connections, .. }
            | Self::Connect { connections, .. } => connections.get(),
            Self::Capacity(CapacityPlan { max, .. }) => max.get(),
            Self::Broadcast { .. } | Self::Chat(_) => {
                self.fan_out().map_or(0, |fan_out| fan_out.connections())
            }
        }
    }
}
