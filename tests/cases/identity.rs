//! Who is who: labels, agents, queues, directions.
