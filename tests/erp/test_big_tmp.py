import time, datetime as dt
import pytest
from django.db import connection
from erp.finance.context import ensure_fiscal_year
from kit.exchange import reports
from kit.exchange.reports import SYSTEM
from oa.organisation.models import User
from django.contrib.auth.models import Group
from tests.erp.books import Books
pytestmark=pytest.mark.django_db
def test_big():
    b=Books()
    ensure_fiscal_year(dt.date(2024,1,1)); ensure_fiscal_year(dt.date(2025,1,1))
    with connection.cursor() as c:
        c.execute("SET session_replication_role=replica")
        c.execute("""INSERT INTO crm_customer (code,name,version,created_at,updated_at,short_name,type,grade,status,source,industry,country,region,city,address,phone,email,website,tax_number,invoice_title,invoice_address,bank_name,bank_account,note,active,pinyin,owner_id)
          SELECT 'C'||i,'Customer '||i,1,now(),now(),'','company','','active','','','','','','','','','','','','','','','',true,'',%s FROM generate_series(1,20000) i""",[b.boss.pk])
        c.execute("""INSERT INTO erp_product (code,name,name_en,kind,unit_id,price,cost,barcode,minimum,note,active,pinyin,version,created_at,updated_at)
          SELECT 'P'||i,'Product '||i,'','goods',%s,1,1,'',0,'',true,'',1,now(),now() FROM generate_series(1,5000) i""",[b.motor.unit_id])
        c.execute("SELECT min(id),max(id) FROM crm_customer WHERE code LIKE 'C%%'"); c0,c1=c.fetchone()
        c.execute("SELECT min(id),max(id) FROM erp_product WHERE code LIKE 'P%%'"); p0,p1=c.fetchone()
        c.execute("SELECT array_agg(id) FROM erp_account WHERE NOT is_group"); acc=c.fetchone()[0]
        c.execute("SELECT id FROM erp_currency WHERE code='CNY'"); cur=c.fetchone()[0]
        c.execute("SELECT id FROM erp_journal WHERE code='GEN'"); j=c.fetchone()[0]
        c.execute("""INSERT INTO erp_journalentry (journal_id,period_id,sequence,number,date,memo,source,source_id,source_number,purpose,line_count,total,posted_at)
          SELECT %s,p.id,i,'E'||i,d.d,'memo','erp.invoice',i,'IV'||i,'post',5,100,now() FROM (SELECT i, date '2024-01-01'+(i%%700) AS d FROM generate_series(1,200000) i) d JOIN erp_period p ON d.d BETWEEN p.start AND p."end" """,[j])
        c.execute("""INSERT INTO erp_journalline (entry_id,account_id,date,debit,credit,red,currency_id,amount,rate,memo)
          SELECT e.id,(%s::bigint[])[1+((e.id*5+k)*7919 %% %s)::int],e.date,CASE WHEN k%%2=0 THEN 25 ELSE 0 END,CASE WHEN k%%2=1 THEN 25 ELSE 0 END,false,%s,25,1,'' FROM erp_journalentry e, generate_series(0,3) k""",[acc,len(acc),cur])
        c.execute("INSERT INTO erp_periodbalance (period_id,account_id,debit,credit) SELECT e.period_id,l.account_id,sum(l.debit),sum(l.credit) FROM erp_journalline l JOIN erp_journalentry e ON e.id=l.entry_id GROUP BY 1,2")
        c.execute("""INSERT INTO erp_salesorder (version,created_at,updated_at,number,date,owner_id,note,currency_id,rate,tax_method,prices_include_tax,net,tax,total,base_total,goods_status,billing_status,goods_percent,billed_percent,paid_percent,revision,customer_id,customer_reference,warehouse_id,ship_to,ship_country,state,hold,hold_reason,closing_reason)
          SELECT 1,now(),now(),'S'||i,date '2024-01-01'+(i%%700),%s,'',%s,1,'line',false,100,13,113,113,'none','none',0,0,0,1,%s+i%%(%s-%s),'',%s,'','C'||i%%40,'confirmed','','','' FROM generate_series(1,200000) i""",[b.boss.pk,cur,c0,c1,c0,b.warehouse.pk])
        c.execute("""INSERT INTO erp_salesorderline (order_id,position,product_id,description,unit_id,factor,quantity,price,discount,tax_rate,net,tax,warehouse_id,cancelled,moved,returned_replace,returned_credit,billed,credited,price_rule,reserved,delivered_cost,expensed_cost)
          SELECT o.id,k,%s+(o.id*5+k)%%(%s-%s),'',%s,1,3,7.77,0,0.13,23.31,3.03,%s,0,0,0,0,0,0,'',0,0,0 FROM erp_salesorder o, generate_series(1,5) k""",[p0,p1,p0,b.motor.unit_id,b.warehouse.pk])
        c.execute("""INSERT INTO erp_openitem (kind,account_id,customer_id,entry_id,source,source_id,number,date,due_date,currency_id,amount,base_amount,remaining,base_remaining)
          SELECT CASE WHEN i%%2=0 THEN 'invoice' ELSE 'receipt' END,%s,%s+(i/2)%%(%s-%s),i,'x',i,'N'||i,date '2024-01-01'+((i/2)%%700),date '2024-01-31'+((i/2)%%700),%s,CASE WHEN i%%2=0 THEN 100 ELSE -80 END,CASE WHEN i%%2=0 THEN 100 ELSE -80 END,CASE WHEN i%%2=0 THEN 20 ELSE 0 END,CASE WHEN i%%2=0 THEN 20 ELSE 0 END FROM generate_series(2,200000) i""",[acc[0],c0,c1,c0,cur])
        c.execute("INSERT INTO erp_allocation (debit_item_id,credit_item_id,date,amount,debit_base,credit_base,created_at) SELECT d.id,k.id,d.due_date,80,80,80,now() FROM erp_openitem d JOIN erp_openitem k ON k.source_id=d.source_id+1 WHERE d.kind='invoice'")
        c.execute("""INSERT INTO erp_stockmove (product_id,warehouse_id,kind,date,quantity,value,quantity_after,value_after,account_id,source,source_id,source_line,number,posted_at)
          SELECT %s+i%%(%s-%s),%s,'receipt',date '2024-01-01'+(i%%700),1,10,1,10,%s,'x',i,i,'M'||i,now() FROM generate_series(1,500000) i""",[p0,p1,p0,b.warehouse.pk,acc[0]])
        c.execute("ANALYZE"); c.execute("SET session_replication_role=origin")
    seller=User.objects.create_user("s",password="x"); seller.groups.add(Group.objects.get(role__code="sales-manager")); 
    for name,params in [("trial-balance",{"date_from":"2024-01-01","date_to":"2025-11-30"}),("trial-balance",{"date_from":"2024-03-10","date_to":"2025-10-20"}),("trial-balance",{"date_from":"2024-03-10","date_to":"2025-10-20","recompute":"yes"}),
       ("general-ledger",{"date_from":"2025-11-01","date_to":"2025-11-30","account":"1001"}),("general-ledger",{"date_from":"2025-11-01","date_to":"2025-11-30"}),("aged-receivables",{}),("aged-receivables",{"as_of":"2025-03-01"}),
       ("stock-on-hand",{"as_of":"2025-03-01"}),("stock-card",{"product":"P5"}),("sales",{"group_by":"month"}),("sales",{"group_by":"customer"}),("sales",{"group_by":"product"}),("sales",{"group_by":"year"}),("sales",{"group_by":"month","date_from":"2025-01-01","date_to":"2025-12-31"})]:
        r=reports.get(name); p=reports.parse_params(r,params)
        t=time.time(); res=reports.run(r,p,SYSTEM); print(f"{time.time()-t:6.2f}s {len(res.rows):6} {name} {params}")
    with connection.cursor() as c:
        from erp.sales.reports import Sales
        s=reports.get("sales"); from django.db import connection as cc
        from django.test.utils import CaptureQueriesContext
        for g in ("month","customer"):
            with CaptureQueriesContext(cc) as q: s.rows(reports.parse_params(s,{"group_by":g}),SYSTEM)
            c.execute("EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) "+q[-1]["sql"]); print("\n".join(x[0] for x in c.fetchall()))
    for n in (500,2000,5000):
        from dataclasses import replace
        from kit.exchange.report_paper import to_pdf
        rr=replace(res,rows=(res.rows*1000)[:n])
        t=time.time(); d=to_pdf(rr); print("pdf",n,round(time.time()-t,2),len(d))
        t=time.time(); d=reports.to_xlsx(rr); print("xlsx",n,round(time.time()-t,2),len(d))
