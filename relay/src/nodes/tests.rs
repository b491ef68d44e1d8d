use super::*;

fn member(name: &str, addresses: &[&str]) -> Member {
    let addresses = addresses.iter().map(|address| (*address).to_owned()).collect();
    Member { name: name.to_owned(), addresses, leaving: false }
}

fn nodes(count: usize) -> Vec<Member> {
    (0..count)
        .map(|number| member(&format!("n{number}"), &[&format!("h{number}:1"), &format!("h{number}:2")]))
        .collect()
}

fn account(number: u16) -> AccountId {
    AccountId(Hash::of(&number.to_be_bytes()).0)
}

fn home(nodes: &Nodes, number: u16) -> String {
    nodes.for_account(&account(number)).remove(0)
}

#[test]
fn every_node_is_the_home_of_its_share_of_accounts() {
    let nodes = Nodes::new(nodes(4));
    let mut homes: HashMap<String, usize> = HashMap::new();
    (0..4_000).for_each(|number| *homes.entry(home(&nodes, number)).or_default() += 1);
    assert_eq!(homes.len(), 4);
    assert!(homes.values().all(|count| (850..1_150).contains(count)), "{homes:?}");
}

#[test]
fn when_a_node_goes_only_its_accounts_move_and_they_spread() {
    let before = Nodes::new(nodes(4));
    let after = Nodes::new(nodes(4).into_iter().filter(|node| node.name != "n2").collect());
    let mut moved: HashMap<String, usize> = HashMap::new();
    for number in 0..4_000 {
        let (was, is) = (home(&before, number), home(&after, number));
        if was == "h2:1" {
            assert_eq!(is, before.for_account(&account(number))[1], "its second choice was told before");
            *moved.entry(is).or_default() += 1;
        } else {
            assert_eq!(was, is);
        }
    }
    assert_eq!(moved.len(), 3, "not all of them to the same node");
    assert!(moved.values().all(|count| (230..440).contains(count)), "{moved:?}");
}

#[test]
fn other_nodes_come_before_other_addresses_of_the_same_one() {
    let told = Nodes::new(nodes(3)).for_account(&account(1));
    assert_eq!(told.len(), 6);
    assert!(told[..3].iter().all(|address| address.ends_with(":1")), "{told:?}");
    let hosts = |part: &[String]| part.iter().map(|address| address[..2].to_owned()).collect::<Vec<_>>();
    assert_eq!(hosts(&told[..3]), hosts(&told[3..]), "the order of nodes is one");
}

#[test]
fn the_order_says_nothing_of_who_spoke_first() {
    let (mut turned, straight) = (nodes(3), nodes(3));
    turned.reverse();
    assert_eq!(Nodes::new(turned), Nodes::new(straight));
}

#[test]
fn a_node_that_leaves_is_not_told_even_if_others_name_it() {
    let mut all = vec![member("a", &["a:1", "b:1", "c:1"]), member("b", &["b:1", "c:1", "a:1"])];
    all.push(Member { leaving: true, ..member("c", &["c:1", "a:1", "b:1"]) });
    let mut told = Nodes::new(all.clone()).for_account(&account(3));
    told.sort();
    assert_eq!(told, ["a:1", "b:1"]);
    all.iter_mut().for_each(|member| member.leaving = true);
    assert_eq!(Nodes::new(all).for_account(&account(3)).len(), 3, "where all were they may be again");
}

#[test]
fn an_address_that_all_share_is_told_while_one_of_them_stays() {
    let mut all = vec![member("a", &["all:1"]), member("b", &["all:1"])];
    all[0].leaving = true;
    assert_eq!(Nodes::new(all).for_account(&account(1)), ["all:1"]);
}

#[test]
fn an_address_of_a_node_that_is_gone_comes_last_if_somebody_still_names_it() {
    let all = vec![member("a", &["a:1", "b:1", "c:1"]), member("b", &["b:1", "c:1", "a:1"])];
    for number in 0..20 {
        assert_eq!(Nodes::new(all.clone()).for_account(&account(number))[2], "c:1");
    }
}

#[test]
fn no_more_is_told_than_may_be() {
    let all = Nodes::new(nodes(40));
    assert_eq!(all.for_account(&account(1)).len(), MAX_OFFERS);
    assert_eq!(all.behind(&["own:1".into()]).len(), MAX_OFFERS);
    assert!(Nodes::default().for_account(&account(1)).is_empty());
}

#[test]
fn an_invite_begins_with_the_node_that_makes_it() {
    let told = Nodes::new(nodes(3)).behind(&["h1:1".into(), "h1:2".into()]);
    assert_eq!(told, ["h1:1", "h1:2", "h0:1", "h2:1", "h0:2", "h2:2"]);
}
