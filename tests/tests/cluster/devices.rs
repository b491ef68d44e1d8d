//! One device, several nodes: it has one connection, wherever that is (rule `CON-5`). Connections that speak frames.

use super::common::*;
use aside_protocol::Refusal;
use aside_protocol::frame::{ClientFrame, Goodbye, GoodbyeReason, Ping, RelayFrame};
use aside_protocol::invite::Invite;
use aside_tests::cluster::NODES;
use aside_tests::raw::{Person, Raw};
use aside_tests::{Cluster, Road};

/// Somebody who has registered at a node and is known at all of them.
async fn registered(cluster: &Cluster, node: usize) -> (Raw, Person) {
    let invite = Invite::from_link(&cluster.new_invite(node)).unwrap();
    let mut connection = Raw::connect(cluster.address(node)).await;
    let person = connection.register("alice", &invite).await;
    cluster.agree(NODES);
    (connection, person)
}

/// The next frame is a goodbye and the connection ends; why.
async fn ends(connection: &mut Raw) -> GoodbyeReason {
    match connection.hear().await {
        Some(RelayFrame::Goodbye(Goodbye { reason, .. })) => {
            assert_eq!(connection.hear().await, None, "closed after its goodbye");
            reason
        }
        other => panic!("no goodbye but {other:?}"),
    }
}

async fn answers(connection: &mut Raw) {
    connection.frame(&ClientFrame::Ping(Ping {})).await;
    assert!(matches!(connection.hear().await, Some(RelayFrame::Pong(_))));
}

#[tokio::test]
async fn a_device_that_connects_to_another_node_loses_its_older_connection() {
    let cluster = Cluster::start();
    let (mut older, alice) = registered(&cluster, 0).await;
    for node in [1, 2, 0, 2] {
        let mut newer = Raw::connect(cluster.address(node)).await;
        newer.login(&alice).await;
        assert_eq!(ends(&mut older).await, GoodbyeReason::Replaced);
        answers(&mut newer).await;
        older = newer;
    }
}

#[tokio::test]
async fn who_logs_in_just_when_a_node_stops_serving_is_sent_on_too() {
    let cluster = Cluster::start_linked();
    let (_, alice) = registered(&cluster, 0).await;
    cluster.links().node(0, Road::Cut);
    let mut late = Raw::connect(cluster.address(0)).await;
    let transcript = late.hello().await;
    says(&cluster, 0, "does not hear NATS");
    late.frame(&ClientFrame::Login(alice.login(&transcript))).await;
    // It cannot know what was accepted meanwhile, so it lets nobody in.
    let answer = late.hear().await;
    assert!(matches!(answer, Some(RelayFrame::LoginRefused(Refusal::Unavailable(_)))), "{answer:?}");
    let mut refused = Raw::connect(cluster.address(0)).await;
    assert_eq!(ends(&mut refused).await, GoodbyeReason::ShuttingDown);
}
