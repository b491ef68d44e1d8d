//! The only room with SQL on the client: schema, migrations, queries.
